import TollkeyCore

/// Appends to a trail and takes its oldest entries away, each time in one transaction: so that any number of processes
/// may do it.
///
/// It appends whatever it finds. What does not fit the ends is told by an entry of its own, which stays in the chain:
/// so that a trail that was cut does not heal by being written on.
struct AuditWriter {
    let tables: AuditTables
    let chain: AuditChain
    var bounds: AuditBounds
    /// The last entry that this process has seen. A trail that has not got it any more, was exchanged since.
    private(set) var seen: AuditLink?

    /// Entries taken away with one append, at most, so that nobody waits long for the database.
    static let removedAtOnce: Int64 = 500

    init(_ tables: AuditTables, _ chain: AuditChain, _ bounds: AuditBounds) {
        self.tables = tables
        self.chain = chain
        self.bounds = bounds
    }

    /// Durable when this returns. Answers what was found to be wrong.
    mutating func append(_ entries: [AuditEntry], at now: Int64) throws(StateFailure) -> [String] {
        let (last, complaints) = try tables.database.transaction { () throws(StateFailure) in
            var (ends, complaints) = try begin()
            try removeOld(&ends, before: entries, at: now, &complaints)
            let alterations = complaints.map {
                AuditEntry(time: now, event: AuditEvent(.altered, .unknown, words: $0))
            }
            for entry in alterations + entries { try append(entry, &ends) }
            guard let sealed = chain.seal(ends) else { throw Sealer.outOfMemory }
            try tables.write(ends: sealed)
            return (ends.last, complaints)
        }
        seen = last
        return complaints
    }

    private func append(_ entry: AuditEntry, _ ends: inout AuditEnds) throws(StateFailure) {
        let content = entry.encode()
        guard let link = chain.link(content, after: ends.last) else { throw Sealer.outOfMemory }
        try tables.insert(AuditRow(link: link, content: content))
        ends.last = link
        ends.bytes += AuditBounds.bytes(of: content)
    }

    // MARK: What is there

    /// Where to go on; and what is wrong there.
    private func begin() throws(StateFailure) -> (AuditEnds, [String]) {
        guard let ends = try tables.ends().flatMap({ chain.open($0) }), ends.last.number < AuditLink.numberMax
        else {
            return (
                try endsByRows(), ["what says where the trail begins and ends was altered or is missing"]
            )
        }
        var complaints: [String] = []
        let last = try tables.last(upTo: .max)
        if let last, last.link.number > ends.last.number {
            try tables.remove(behind: ends.last.number)
            complaints.append("entries stood behind the last one, \(ends.last.number); they were removed")
        }
        if ends.count > 0, try tables.row(ends.last.number)?.link != ends.last {
            complaints.append("the last entry, \(ends.last.number), was altered or is missing")
        }
        if let seen, seen.number > ends.removed.number {
            if seen.number > ends.last.number {
                complaints.append(
                    "the trail went back from entry \(seen.words) to \(ends.last.words) while it was written")
            } else if try tables.row(seen.number)?.link != seen {
                complaints.append("entry \(seen.words) was altered or is missing, and was written before")
            }
        }
        return (ends, complaints)
    }

    /// As far as that can be told without any.
    private func endsByRows() throws(StateFailure) -> AuditEnds {
        try tables.remove(behind: AuditLink.numberMax / 2)
        var ends = AuditEnds()
        for link in [try tables.last(upTo: .max)?.whole, seen] {
            if let link, link.number > ends.last.number { ends.last = link }
        }
        ends.removed.number = try tables.first(from: 1).map { $0.link.number - 1 } ?? ends.last.number
        ends.bytes = try tables.database.number(
            "SELECT coalesce(sum(length(content) + 64), 0) FROM audit")
        return ends
    }

    // MARK: Age

    /// Takes away what is too old and, whatever its age, what is too much. What was altered does not go because of the
    /// age that it claims.
    private func removeOld(
        _ ends: inout AuditEnds, before entries: [AuditEntry], at now: Int64, _ complaints: inout [String]
    ) throws(StateFailure) {
        let count = Int64(entries.count)
        let bytes = entries.reduce(0) { $0 + AuditBounds.bytes(of: $1.encode()) }
        var altered: Int64?
        var removed = ends
        for _ in 0..<Self.removedAtOnce {
            guard let row = try tables.first(from: removed.removed.number + 1),
                row.link.number <= ends.last.number
            else { break }
            let time = AuditEntry(decoding: row.content)?.time
            let isRight = chain.link(row.content, after: removed.removed) == row.link
            let isOver = bounds.isOver(count: removed.count + count, bytes: removed.bytes + bytes)
            guard isOver || isRight && bounds.isOld(time ?? now, at: now) else { break }
            if !isRight { altered = altered ?? row.link.number }
            removed.removed = row.whole
            removed.removedTime = time ?? removed.removedTime
            removed.bytes -= AuditBounds.bytes(of: row.content)
        }
        guard removed.removed.number > ends.removed.number else { return }
        try tables.remove(upTo: removed.removed.number)
        ends = removed
        if let altered {
            complaints.append("entry \(altered) had been altered; it was removed, for there was no room")
        }
    }
}

extension AuditRow {
    /// The link, with as many bytes as one has, whatever stands there.
    fileprivate var whole: AuditLink {
        link.hash.count == AuditLink.hashCount
            ? link : AuditLink(number: link.number, hash: AuditLink.beginning.hash)
    }
}
