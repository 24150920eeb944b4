import Glibc
import Synchronization
package import TollkeyCore

/// What must outlive the process: sealed records in an SQLite database, in a directory of its own.
///
/// Several processes may have the same directory open. May be called from any thread; a call waits for the disk.
package final class StateStore: Sendable {
    /// A record's content, at most.
    package static let contentBytesMax = 64 << 10
    /// Each of a place's names, at most.
    package static let nameBytesMax = 255
    /// All of the database.
    package static let bytesMax = 64 << 20

    /// Whether there was none before: whoever expected one should be told.
    package let isFresh: Bool
    private let directory: StateDirectory
    private let keyring: Keyring
    private let tables: Mutex<RecordTables>
    private let fileSystem: String?

    /// Opens the state in `path`, or begins one where there is none.
    ///
    /// The first of `keys` seals; what the others have sealed is sealed anew with the first. Without keys there is one
    /// in the directory. `fileSystem` is the name of an `sqlite3_vfs`, for tests; nil is the system's.
    package init(
        directory path: String, keys: [Secret] = [], fileSystem: String? = nil
    ) throws(StateFailure) {
        try StateKey.check(keys)
        directory = try StateDirectory(path)
        let opening = StateOpening(directory: directory, keys: keys, fileSystem: fileSystem)
        let opened = try opening.perform()
        isFresh = opened.isFresh
        self.fileSystem = fileSystem
        keyring = opened.keyring
        tables = Mutex(opened.tables)
    }

    /// Whether a state was begun there.
    package static func isThere(_ directory: String) -> Bool {
        access("\(directory)/\(StateOpening.databaseName)", F_OK) == 0
    }

    /// A file that is written to with each `ring`, for a `FileWatch`.
    package var doorbell: String { directory.file(Self.doorbellName) }

    static let doorbellName = "changed"

    // MARK: Records

    package func load(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? {
        try tables.withLock { tables throws(StateFailure) in
            guard let row = try tables.row(at: place) else { return nil }
            return try opened(row, tables)
        }
    }

    /// All records of a kind.
    package func all(kind: String) throws(StateFailure) -> [RecordPlace: StoredRecord] {
        try tables.withLock { tables throws(StateFailure) in
            var records: [RecordPlace: StoredRecord] = [:]
            for row in try tables.rows(kind: kind) { records[row.place] = try opened(row, tables) }
            return records
        }
    }

    /// Keeps `content`, and answers its version. It is on the disk when this returns.
    ///
    /// With a `version`, that one must be what it replaces (0: nothing must be there), or the failure is `superseded`
    /// and nothing has changed. After any other failure either may be found later: the one before, or this one.
    @discardableResult
    package func save(
        _ content: Secret, at place: RecordPlace, replacing version: Int64? = nil
    ) throws(StateFailure) -> Int64 {
        try Self.check(content, place)
        return try write { tables, header throws(StateFailure) in
            try Self.expect(version, at: place, tables)
            header.lastVersion += 1
            let sealed = try keyring.seal(content, at: place, version: header.lastVersion)
            try tables.write(RecordTables.Row(place: place, version: header.lastVersion, sealed: sealed))
            try tables.write(header)
            return header.lastVersion
        }
    }

    /// Keeps a copy of what stands elsewhere under a version that was given there, unless there is a later one here.
    /// False then. With `replacing`, as `save`.
    @discardableResult
    package func adopt(
        _ content: Secret, at place: RecordPlace, as version: Int64, replacing known: Int64? = nil
    ) throws(StateFailure) -> Bool {
        try Self.check(content, place)
        return try write { tables, header throws(StateFailure) in
            try Self.expect(known, at: place, tables)
            guard try tables.row(at: place)?.version ?? 0 < version else { return false }
            header.lastVersion = max(header.lastVersion, version)
            let sealed = try keyring.seal(content, at: place, version: version)
            try tables.write(RecordTables.Row(place: place, version: version, sealed: sealed))
            try tables.write(header)
            return true
        }
    }

    /// Forgets a record; there may be none. `version` as with `save`.
    package func remove(_ place: RecordPlace, replacing version: Int64? = nil) throws(StateFailure) {
        try write { tables, _ throws(StateFailure) in
            try Self.expect(version, at: place, tables)
            try tables.remove(place)
        }
    }

    /// 32 bytes that are the same for the same parts, and tell nothing of them to who does not have the state's key.
    ///
    /// The same also after a change of the state's key, and for every process with this state.
    package func fingerprint(_ parts: [Secret]) throws(StateFailure) -> [UInt8] {
        try keyring.fingerprint(parts)
    }

    private func write<Result>(
        _ body: @Sendable (RecordTables, inout RecordTables.Header) throws(StateFailure) -> Result
    ) throws(StateFailure) -> Result where Result: Sendable {
        try tables.withLock { tables throws(StateFailure) in
            let result = try tables.database.transaction { () throws(StateFailure) in
                var header = try tables.header()
                // Another process may have changed the key; a record under the old one would be lost.
                guard header.keyCheck == keyring.check else { throw keyHasChanged }
                return try body(tables, &header)
            }
            // To SQLite a damaged frame is the log's end: what was saved would silently be what was before.
            try? tables.emptyLog(waits: false)
            return result
        }
    }

    private func opened(_ row: RecordTables.Row, _ tables: RecordTables) throws(StateFailure) -> StoredRecord
    {
        do {
            return StoredRecord(version: row.version, content: try keyring.open(row, directory.path))
        } catch {
            guard try tables.header().keyCheck == keyring.check else { throw keyHasChanged }
            throw error
        }
    }

    private var keyHasChanged: StateFailure {
        StateFailure(
            .wrongKey,
            "the key of the state in \(directory.path) was changed while this process had it open; start it again with the present key"
        )
    }

    private static func expect(
        _ version: Int64?, at place: RecordPlace, _ tables: RecordTables
    ) throws(StateFailure) {
        guard let version, try tables.row(at: place)?.version ?? 0 != version else { return }
        throw StateFailure(
            .superseded,
            "somebody else has written the \(place.kind) \(place.provider)/\(place.name) since it was read")
    }

    static func check(_ content: Secret, _ place: RecordPlace) throws(StateFailure) {
        guard content.reveal({ $0.count <= contentBytesMax }) else {
            throw StateFailure(
                .tooLarge,
                "the \(place.kind) of \(place.provider) is larger than \(contentBytesMax >> 10) KiB, which is all that is kept of one"
            )
        }
        guard place.parts.allSatisfy({ $0.utf8.count <= nameBytesMax }) else {
            throw StateFailure(.tooLarge, "a record's name is longer than \(nameBytesMax) bytes")
        }
    }

    /// The audit trail beside the records, over a connection of its own: who writes there keeps nobody waiting here.
    func openTrail() throws(StateFailure) -> (tables: AuditTables, chain: AuditChain) {
        let path = directory.file(StateOpening.databaseName)
        return (try AuditTables(path, fileSystem: fileSystem), try keyring.auditChain())
    }

    // MARK: Between processes

    /// The right to change what is at `place`, for a longer time than a call takes: around a token call, say. nil while
    /// somebody else has it.
    package func tryLock(_ place: RecordPlace) throws(StateFailure) -> StateLock? {
        guard let hash = KeyedHash.sha256(Framing.joined(place.parts.map { Array($0.utf8) })) else {
            throw Sealer.outOfMemory
        }
        return try StateLock.attempt(Hex.text(hash), in: directory)
    }

    /// As `tryLock`, and tries again every 20 ms for `timeout`, or until `isCancelled`. Blocks its thread meanwhile.
    package func lock(
        _ place: RecordPlace, timeout: Duration, isCancelled: () -> Bool = { false },
        pause: (Duration) -> Void = { usleep(UInt32(clamping: $0.milliseconds * 1_000)) }
    ) throws(StateFailure) -> StateLock {
        var waited = Duration.zero
        while true {
            if let lock = try tryLock(place) { return lock }
            guard waited < timeout, !isCancelled() else {
                throw StateFailure(
                    .busy,
                    "another process has been at work on \(place.provider)/\(place.name) for more than \(timeout); is it stopped?"
                )
            }
            pause(Self.lockInterval)
            waited += Self.lockInterval
        }
    }

    static let lockInterval = Duration.milliseconds(20)

    /// Tells other processes that watch `doorbell` that something here has changed.
    package func ring() throws(StateFailure) { try directory.touch(Self.doorbellName) }
}
