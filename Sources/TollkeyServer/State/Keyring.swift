import TollkeyCore

/// The keys of an open state: one that seals its records, and one for fingerprints.
///
/// The fingerprint key is random and lies in the state, sealed. So it is the proof that a state key is the right one,
/// and stays the same when the state key changes.
struct Keyring: Sendable {
    /// As it lies in the state.
    let check: [UInt8]
    private let sealer: Sealer
    private let fingerprintKey: Secret

    private static let checkPurpose = Array("tollkey state 1, fingerprint key".utf8)

    /// For a state that begins.
    static func make(_ sealer: Sealer) throws(StateFailure) -> Keyring {
        try Keyring(sealer, fingerprintKey: Secret(Sealer.random(KeyedHash.count)))
    }

    /// nil when `check` was sealed with another key.
    init?(_ sealer: Sealer, check: [UInt8]) {
        guard let fingerprintKey = sealer.open(check, for: Self.checkPurpose) else { return nil }
        self.check = check
        self.sealer = sealer
        self.fingerprintKey = fingerprintKey
    }

    private init(_ sealer: Sealer, fingerprintKey: Secret) throws(StateFailure) {
        check = try sealer.seal(fingerprintKey, for: Self.checkPurpose)
        self.sealer = sealer
        self.fingerprintKey = fingerprintKey
    }

    /// The same state under another key.
    func changed(to sealer: Sealer) throws(StateFailure) -> Keyring {
        try Keyring(sealer, fingerprintKey: fingerprintKey)
    }

    func seal(_ content: Secret, at place: RecordPlace, version: Int64) throws(StateFailure) -> [UInt8] {
        try sealer.seal(content, for: Self.purpose(place, version))
    }

    func open(_ row: RecordTables.Row, _ directory: String) throws(StateFailure) -> Secret {
        if let content = sealer.open(row.sealed, for: Self.purpose(row.place, row.version)) { return content }
        throw StateFailure(
            .damaged,
            "in the state \(directory), the \(row.place.kind) \(row.place.provider)/\(row.place.name) has been altered or moved; restore a backup, or obtain it anew"
        )
    }

    func fingerprint(_ parts: [Secret]) throws(StateFailure) -> [UInt8] {
        let message = Framing.joined(parts.map { $0.reveal { $0 } })
        guard let hash = fingerprintKey.reveal({ KeyedHash.hmac(key: $0, message) }) else {
            throw Sealer.outOfMemory
        }
        return hash
    }

    /// What binds a record to its place: sealed for one, it opens at no other and as no other version.
    private static func purpose(_ place: RecordPlace, _ version: Int64) -> [UInt8] {
        var bytes = Framing.joined((["tollkey state 1, record"] + place.parts).map { Array($0.utf8) })
        Framing.appendNumber(version, to: &bytes)
        return bytes
    }
}
