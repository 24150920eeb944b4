/// One entry's place in the chain: its number, and the keyed hash over it and all before it.
package struct AuditLink: Sendable, Equatable {
    /// From 1.
    package var number: Int64
    package var hash: [UInt8]

    package init(number: Int64, hash: [UInt8]) {
        self.number = number
        self.hash = hash
    }

    /// Before the first entry.
    package static let beginning = AuditLink(number: 0, hash: [UInt8](repeating: 0, count: hashCount))

    package static let hashCount = 32
    /// No trail ever gets so far; a larger number was put there by somebody else.
    package static let numberMax: Int64 = 1 << 60

    /// For a person to note down, and to compare: `1504:9f3a6c1d20b7e845`.
    package var words: String {
        "\(number):\(String(decoding: TextEncoding.hex.encode(Array(hash.prefix(8))), as: UTF8.self))"
    }

    /// What `words` has said; nil when it is nothing like it.
    package static func parse(_ words: String) -> (number: Int64, digits: String)? {
        let parts = words.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number > 0, parts[1].utf8.count == 16 else {
            return nil
        }
        return (number, String(parts[1]))
    }
}

/// Where a trail begins and ends, kept beside it under a hash of its own: so that cutting off either shows.
package struct AuditEnds: Sendable, Equatable {
    /// The last entry that was removed because of its age, or for want of room. The next one follows it.
    package var removed = AuditLink.beginning
    /// When that one was written; 0 before there is one.
    package var removedTime: Int64 = 0
    package var last = AuditLink.beginning
    /// What the entries take in all, `AuditBounds.bytes(of:)` each.
    package var bytes: Int64 = 0

    package init() {}

    package var count: Int64 { last.number - removed.number }
}

/// A trail's rules: which hash an entry has, and which its ends.
package struct AuditChain: Sendable {
    /// HMAC-SHA-256 under the trail's key; nil when the system has no memory.
    private let hash: @Sendable ([UInt8]) -> [UInt8]?

    package init(hash: @escaping @Sendable ([UInt8]) -> [UInt8]?) { self.hash = hash }

    /// The link of the entry that follows `before`.
    package func link(_ content: [UInt8], after before: AuditLink) -> AuditLink? {
        let number = before.number + 1
        return hash(Self.entry + Self.bytes(number) + before.hash + content).map {
            AuditLink(number: number, hash: $0)
        }
    }

    private static let entry = Array("tollkey audit 1, entry".utf8)
    private static let ends = Array("tollkey audit 1, ends".utf8)
    private static let endsCount = 4 * 8 + 2 * AuditLink.hashCount

    /// As they are kept.
    package func seal(_ ends: AuditEnds) -> [UInt8]? {
        let bytes =
            Self.bytes(ends.removed.number) + ends.removed.hash + Self.bytes(ends.removedTime)
            + Self.bytes(ends.last.number) + ends.last.hash + Self.bytes(ends.bytes)
        return hash(Self.ends + bytes).map { bytes + $0 }
    }

    /// nil when somebody else has written them.
    package func open(_ sealed: [UInt8]) -> AuditEnds? {
        guard sealed.count == Self.endsCount + AuditLink.hashCount else { return nil }
        let content = Array(sealed.prefix(Self.endsCount))
        guard hash(Self.ends + content) == Array(sealed.suffix(AuditLink.hashCount)) else { return nil }
        var rest = content[...]
        var ends = AuditEnds()
        ends.removed = AuditLink(number: Self.number(&rest), hash: Self.hash(&rest))
        ends.removedTime = Self.number(&rest)
        ends.last = AuditLink(number: Self.number(&rest), hash: Self.hash(&rest))
        ends.bytes = Self.number(&rest)
        return ends
    }

    private static func bytes(_ number: Int64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Int64($0)) }
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int64 {
        defer { rest = rest.dropFirst(8) }
        return Int64(bitPattern: rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    private static func hash(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        defer { rest = rest.dropFirst(AuditLink.hashCount) }
        return Array(rest.prefix(AuditLink.hashCount))
    }
}
