/// One entry as the trail has it, believed or not.
package struct AuditRow: Sendable, Equatable {
    package var link: AuditLink
    package var content: [UInt8]

    package init(link: AuditLink, content: [UInt8]) {
        self.link = link
        self.content = content
    }
}

/// Something in a trail that nobody with its key has written.
package struct AuditBreak: Sendable, Equatable {
    /// From which entry on.
    package let number: Int64
    package let words: String

    package init(number: Int64, words: String) {
        self.number = number
        self.words = words
    }
}

/// A walk over a whole trail, from its oldest entry to its newest: finds what was changed, exchanged, put in, taken
/// out or cut off.
package struct AuditWalk: Sendable {
    private let chain: AuditChain
    private let ends: AuditEnds?
    /// What the next entry must follow; without a hash when that is not known any more.
    private var number: Int64?
    private var hash: [UInt8]?
    /// The first ones.
    package private(set) var breaks: [AuditBreak] = []
    package private(set) var breakCount = 0

    package static let breaksMax = 20

    /// `ends` are nil when they are missing, or somebody else's.
    package init(_ ends: AuditEnds?, _ chain: AuditChain) {
        self.chain = chain
        self.ends = ends
        number = ends?.removed.number
        hash = ends?.removed.hash
        if ends == nil {
            add(0, "what says where the trail begins and ends was altered or is missing")
        }
    }

    /// Takes the next row, in the order of their numbers. False when it is not as it was written, or that cannot be
    /// told.
    package mutating func take(_ row: AuditRow) -> Bool {
        let found = row.link.number
        guard found > 0, found <= AuditLink.numberMax, found > number ?? 0 else {
            add(found, "an entry was put in that does not belong there")
            return false
        }
        if let number, found > number + 1 {
            add(number + 1, Self.missing(number + 1, found - 1))
            hash = nil
        }
        let isKnown = hash != nil
        let before = AuditLink(number: found - 1, hash: hash ?? row.link.hash)
        let isRight = isKnown && chain.link(row.content, after: before) == row.link
        if isKnown, !isRight { add(found, "it was changed, or another one was put in its place") }
        (number, hash) = (found, row.link.hash)
        if isRight, AuditEntry(decoding: row.content)?.event.kind == .altered {
            add(found, "it tells that the trail had been altered before it")
        }
        return isRight
    }

    /// After the last row.
    package mutating func finish() {
        guard let ends, let number else { return }
        if number < ends.last.number {
            add(number + 1, Self.missing(number + 1, ends.last.number) + " at the end")
        } else if number > ends.last.number {
            add(ends.last.number + 1, "entries were added behind the last one")
        } else if let hash, hash != ends.last.hash {
            add(number, "it is not the entry that was written last")
        }
    }

    private static func missing(_ first: Int64, _ last: Int64) -> String {
        first == last ? "it is missing" : "it and all up to \(last) are missing"
    }

    private mutating func add(_ number: Int64, _ words: String) {
        breakCount += 1
        if breaks.count < Self.breaksMax { breaks.append(AuditBreak(number: number, words: words)) }
    }
}
