package import TollkeyCore

/// Where records are kept: on this machine alone (`StateStore`), or together with other replicas (`SharedStore`).
///
/// May be called from any thread; a call waits for the disk and, where records are shared, for Redis, for a bounded
/// time.
package protocol RecordStore: Sendable {
    /// Who spends, where a mark says it. Empty where nobody else could.
    var replica: String { get }
    /// What this machine keeps for itself.
    var local: StateStore { get }
    /// How often to `look`; nil where others ring.
    var lookInterval: Duration? { get }

    func load(_ place: RecordPlace) throws(StateFailure) -> StoredRecord?
    /// As this machine knows it, without asking another one.
    func copy(_ place: RecordPlace) throws(StateFailure) -> StoredRecord?
    /// All records of a kind that this machine knows.
    func all(kind: String) throws(StateFailure) -> [RecordPlace: StoredRecord]

    /// Keeps `content`, and answers its version. It outlives the process when this returns.
    ///
    /// With a `version`, that one must be what it replaces (0: nothing must be there), or the failure is `superseded`
    /// and nothing has changed.
    @discardableResult
    func save(
        _ content: Secret, at place: RecordPlace, replacing version: Int64?
    ) throws(StateFailure) -> Int64

    /// As `save`, before something that must be done once: under the lock, and only when everybody else is certain to
    /// see it. Otherwise the failure is `unshared`, or `superseded`, and it must not be done.
    func mark(
        _ content: Secret, at place: RecordPlace, replacing version: Int64
    ) throws(StateFailure) -> Int64

    /// Forgets a record; there may be none. `version` as with `save`.
    func remove(_ place: RecordPlace, replacing version: Int64?) throws(StateFailure)

    /// 32 bytes that are the same for the same parts, for all who share the records. The first are written; who reads
    /// takes any.
    func fingerprints(_ parts: [Secret]) throws(StateFailure) -> [[UInt8]]

    /// The right to change what is at `place`, for a longer time than a call takes. Waits for `timeout`, or until
    /// `isCancelled`. Blocks its thread meanwhile.
    func hold(
        _ place: RecordPlace, timeout: Duration, isCancelled: () -> Bool
    ) throws(StateFailure) -> any RecordLock

    /// Takes over what others have written; true when `copy` has become another one at any of `places`.
    func look(at places: [RecordPlace]) -> Bool

    /// Tells other processes of this machine that something has changed.
    func ring() throws(StateFailure)

    /// Nobody uses it any more.
    func close()
}

/// The right to be the only one who changes a record.
package protocol RecordLock: Sendable {
    /// Whether a call that is begun now ends while the lock certainly holds.
    var allowsCall: Bool { get }
    func release()
}

extension RecordStore {
    /// In hexadecimal digits.
    func fingerprintTexts(_ parts: [Secret]) throws(StateFailure) -> [String] {
        try fingerprints(parts).map { String(decoding: TextEncoding.hex.encode($0), as: UTF8.self) }
    }
}

extension StateStore: RecordStore {
    package var replica: String { "" }
    package var local: StateStore { self }
    package var lookInterval: Duration? { nil }

    package func copy(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? { try load(place) }

    package func mark(
        _ content: Secret, at place: RecordPlace, replacing version: Int64
    ) throws(StateFailure) -> Int64 {
        try save(content, at: place, replacing: version)
    }

    package func fingerprints(_ parts: [Secret]) throws(StateFailure) -> [[UInt8]] {
        [try fingerprint(parts)]
    }

    package func hold(
        _ place: RecordPlace, timeout: Duration, isCancelled: () -> Bool
    ) throws(StateFailure) -> any RecordLock {
        try lock(place, timeout: timeout, isCancelled: isCancelled)
    }

    package func look(at places: [RecordPlace]) -> Bool { false }
    package func close() {}
}

extension StateLock: RecordLock {
    /// It ends with its process, and not before.
    package var allowsCall: Bool { true }
}
