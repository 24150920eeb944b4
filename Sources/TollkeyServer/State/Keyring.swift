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

    /// Bound to the format of the tables: who cannot seal cannot pass a state off as one that never had a trail.
    private static func checkPurpose(_ format: Int64) -> [UInt8] {
        Array("tollkey state \(format), fingerprint key".utf8)
    }

    /// For a state that begins.
    static func make(_ sealer: Sealer) throws(StateFailure) -> Keyring {
        try Keyring(sealer, fingerprintKey: Secret(Sealer.random(KeyedHash.count)))
    }

    /// nil when `check` was sealed with another key.
    init?(_ sealer: Sealer, check: [UInt8], format: Int64 = RecordTables.schema) {
        guard let fingerprintKey = sealer.open(check, for: Self.checkPurpose(format)) else { return nil }
        self.check = check
        self.sealer = sealer
        self.fingerprintKey = fingerprintKey
    }

    private init(_ sealer: Sealer, fingerprintKey: Secret) throws(StateFailure) {
        check = try sealer.seal(fingerprintKey, for: Self.checkPurpose(RecordTables.schema))
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

    /// The rules of the audit trail, under a key that comes from the random one: it outlives a change of the state key.
    func auditChain() throws(StateFailure) -> AuditChain {
        let key = try Sealer.derived(from: fingerprintKey, for: "audit trail, HMAC-SHA-256")
        return AuditChain { message in key.reveal { KeyedHash.hmac(key: $0, message) } }
    }

    /// The ends of a trail that has no entry.
    func beginningOfTrail() throws(StateFailure) -> [UInt8] {
        guard let ends = try auditChain().seal(AuditEnds()) else { throw Sealer.outOfMemory }
        return ends
    }

    /// What binds a record to its place: sealed for one, it opens at no other and as no other version.
    private static func purpose(_ place: RecordPlace, _ version: Int64) -> [UInt8] {
        var bytes = Framing.joined((["tollkey state 1, record"] + place.parts).map { Array($0.utf8) })
        Framing.appendNumber(version, to: &bytes)
        return bytes
    }
}
