import TollkeyCore

/// What replicas seal records for each other with, and recognise accounts by: keys derived from the state keys that all
/// of them are given. The first seals, all open.
struct SharedSeals: Sendable {
    private struct Key {
        let sealer: Sealer
        let fingerprints: Secret
    }
    private let keys: [Key]

    init(_ stateKeys: [Secret]) throws(StateFailure) {
        keys = try stateKeys.map { key throws(StateFailure) in
            Key(
                sealer: Sealer(
                    key: try Sealer.derived(from: key, for: "sealing shared records, AES-256-GCM")),
                fingerprints: try Sealer.derived(from: key, for: "fingerprints of shared records"))
        }
    }

    func seal(_ content: Secret, at place: RecordPlace, version: Int64) throws(StateFailure) -> [UInt8] {
        guard let key = keys.first else { throw StateFailure(.key, "records are shared without a state key") }
        return try key.sealer.seal(content, for: Self.purpose(place, version))
    }

    /// nil when none of the keys opens it. `isPresent`: it was sealed with the first.
    func open(
        _ sealed: [UInt8], at place: RecordPlace, version: Int64
    ) -> (content: Secret, isPresent: Bool)? {
        for (index, key) in keys.enumerated() {
            if let content = key.sealer.open(sealed, for: Self.purpose(place, version)) {
                return (content, index == 0)
            }
        }
        return nil
    }

    func fingerprints(_ parts: [Secret]) throws(StateFailure) -> [[UInt8]] {
        let message = Framing.joined(parts.map { $0.reveal { $0 } })
        return try keys.map { key throws(StateFailure) in
            guard let hash = key.fingerprints.reveal({ KeyedHash.hmac(key: $0, message) }) else {
                throw Sealer.outOfMemory
            }
            return hash
        }
    }

    /// What binds a record to its place: sealed for one, it opens at no other and as no other version.
    private static func purpose(_ place: RecordPlace, _ version: Int64) -> [UInt8] {
        var bytes = Framing.joined((["tollkey shared 1, record"] + place.parts).map { Array($0.utf8) })
        Framing.appendNumber(version, to: &bytes)
        return bytes
    }
}
