import TollkeyCore

/// Records and locks on the Redis server. Knows nothing of what the records hold.
struct SharedRecords: Sendable {
    let client: RedisClient
    let prefix: String
    let terms: SharedTerms

    struct Found: Equatable {
        let version: Int64
        /// Empty: it was removed.
        let sealed: [UInt8]
    }

    /// A lock that Redis has given: as it stands there, and on which run of the server.
    struct Lock: Equatable {
        let value: String
        let fence: Int64
        let server: String
    }

    enum Saved: Equatable {
        case saved
        /// Somebody else has written, or has the lock by now.
        case superseded
        /// Nobody has, and what is there is as late as this version.
        case later(Int64)
        /// The lock ran out, or was lost with the server's data.
        case unlocked
        /// For so many milliseconds yet, what is marked may be known otherwise by somebody else.
        case unsettled(Int64)
    }

    // MARK: Names

    /// Only the last of a place's names may have a colon in it.
    func record(_ place: RecordPlace) -> String { "\(prefix):record:\(name(place))" }
    private func lock(_ place: RecordPlace) -> String { "\(prefix):lock:\(name(place))" }
    private func fence(_ place: RecordPlace) -> String { "\(prefix):fence:\(name(place))" }
    private var epoch: String { "\(prefix):records:epoch" }
    private func name(_ place: RecordPlace) -> String { place.parts.joined(separator: ":") }

    // MARK: Records

    /// nil when there is nothing.
    func read(_ place: RecordPlace) throws(RedisFailure) -> Found? {
        try Self.found(client.perform(["HMGET", RedisArgument(record(place)), "version", "sealed"]))
    }

    /// In the order of `places`, which are as many as one flight may hold at most; 0 where there is nothing.
    func versions(_ places: [RecordPlace]) throws(RedisFailure) -> [Int64] {
        _ = try client.run(SharedScripts.look, keys: [RedisArgument(epoch)])
        let replies = try client.pipeline(places.map { ["HGET", RedisArgument(record($0)), "version"] })
        guard replies.count == places.count else { throw Self.malformed }
        return try replies.map { reply throws(RedisFailure) in
            switch reply {
            case .null: return 0
            case .bytes(let bytes):
                guard let version = Self.number(bytes) else { throw Self.malformed }
                return version
            default: throw Self.malformed
            }
        }
    }

    private static func found(_ reply: RedisReply) throws(RedisFailure) -> Found? {
        guard case .array(let fields) = reply, fields.count == 2 else { throw malformed }
        switch (fields[0], fields[1]) {
        case (.null, _): return nil
        case (.bytes(let version), .bytes(let sealed)):
            guard let version = number(version), version > 0 else { throw malformed }
            return Found(version: version, sealed: sealed)
        default: throw malformed
        }
    }

    /// `mark`: only while this lock holds, and nothing can have been lost.
    func save(
        _ sealed: [UInt8], at place: RecordPlace, as version: Int64, replacing known: Int64?,
        under lock: Lock?,
        mark: Bool
    ) throws(RedisFailure) -> Saved {
        let mark = mark ? lock : nil
        return try Self.saved(
            client.run(
                SharedScripts.save,
                keys: [
                    RedisArgument(record(place)), RedisArgument(self.lock(place)), RedisArgument(epoch),
                ],
                [
                    RedisArgument(version), RedisArgument(sealed), RedisArgument(known.map { "\($0)" } ?? ""),
                    RedisArgument(lock?.fence ?? 0), RedisArgument(mark?.value ?? ""),
                    RedisArgument(mark?.server ?? ""), RedisArgument(terms.grace.milliseconds),
                ]))
    }

    /// Writes what Redis has lost; nothing when there is something as late.
    func restore(
        _ sealed: [UInt8], at place: RecordPlace, as version: Int64
    ) throws(RedisFailure) -> Saved {
        try Self.saved(
            client.run(
                SharedScripts.restore, keys: [RedisArgument(record(place)), RedisArgument(epoch)],
                [RedisArgument(version), RedisArgument(sealed)]))
    }

    /// The same content under another key; nothing when it was replaced meanwhile.
    func reseal(_ sealed: [UInt8], at place: RecordPlace, as version: Int64) throws(RedisFailure) {
        _ = try client.run(
            SharedScripts.reseal, keys: [RedisArgument(record(place))],
            [RedisArgument(version), RedisArgument(sealed)])
    }

    private static func saved(_ reply: RedisReply) throws(RedisFailure) -> Saved {
        guard let words = words(reply), let first = words.first else { throw malformed }
        let number = words.count > 1 ? number(words[1]) : nil
        switch (first, number) {
        case ("saved", _): return .saved
        case ("superseded", _): return .superseded
        case ("unlocked", _): return .unlocked
        case ("later", let version?): return .later(version)
        case ("unsettled", let left?): return .unsettled(left)
        default: throw malformed
        }
    }

    // MARK: Locks

    /// nil while another replica has it.
    func lock(_ place: RecordPlace, for replica: String) throws(RedisFailure) -> Lock? {
        let keys = [lock(place), fence(place), record(place), epoch].map { RedisArgument($0) }
        let reply = try client.run(
            SharedScripts.lock, keys: keys,
            [RedisArgument(replica), RedisArgument(terms.lockLife.milliseconds)])
        guard let words = Self.words(reply) else { throw Self.malformed }
        if words.isEmpty { return nil }
        guard words.count == 2, let fence = Self.number(words[0]) else { throw Self.malformed }
        return Lock(value: "\(replica):\(words[0])", fence: fence, server: words[1])
    }

    /// Nothing, when it has run out and is another's by now.
    func unlock(_ place: RecordPlace, _ lock: Lock) throws(RedisFailure) {
        _ = try client.run(
            SharedScripts.unlock, keys: [RedisArgument(self.lock(place))], [RedisArgument(lock.value)])
    }

    // MARK: Replies

    private static func words(_ reply: RedisReply) -> [String]? {
        guard case .array(let elements) = reply else { return nil }
        var words: [String] = []
        for element in elements {
            guard case .bytes(let bytes) = element else { return nil }
            words.append(String(decoding: bytes, as: UTF8.self))
        }
        return words
    }

    private static func number(_ bytes: [UInt8]) -> Int64? { number(String(decoding: bytes, as: UTF8.self)) }

    /// Whoever can write there can write any number; beyond what one of Lua's holds exactly it is none of ours.
    private static func number(_ text: String) -> Int64? {
        Int64(text).flatMap { (0...1 << 53).contains($0) ? $0 : nil }
    }

    private static let malformed = RedisFailure(
        .malformed, mayHaveRun: true,
        "a record in Redis is not what Tollkey writes there; does something else use the same prefix?")
}
