package import TollkeyCore

/// A trail as a whole: whether it is as it was written, and the entries that were asked for.
package struct AuditReport: Sendable {
    package struct Line: Sendable {
        package let link: AuditLink
        /// nil for what this version cannot read.
        package let entry: AuditEntry?
        /// Whether it is as it was written.
        package let isRight: Bool
    }

    /// The newest last.
    package fileprivate(set) var lines: [Line] = []
    package fileprivate(set) var count = 0
    /// When the oldest entry was written; nil when there is none.
    package fileprivate(set) var since: Int64?
    package fileprivate(set) var last = AuditLink.beginning
    /// The last one that was taken away, and when that was written.
    package fileprivate(set) var removed: (link: AuditLink, time: Int64)?
    package fileprivate(set) var breaks: [AuditBreak] = []
    package fileprivate(set) var breakCount = 0

    package var isIntact: Bool { breakCount == 0 }

    /// Reads all of it, as it was at one moment. Keeps the last `limit` lines that are `wanted`, and looks whether the
    /// entry noted as `known` (`AuditLink.words`) is still the same.
    static func read(
        _ tables: AuditTables, _ chain: AuditChain, limit: Int, known: (number: Int64, digits: String)?,
        wanted: (AuditEntry?) -> Bool
    ) throws(StateFailure) -> AuditReport {
        var report = AuditReport()
        // A reader's transaction: what others write meanwhile is not seen.
        try tables.database.run("BEGIN")
        defer { try? tables.database.run("COMMIT") }
        let ends = try tables.ends().flatMap { chain.open($0) }
        var walk = AuditWalk(ends, chain)
        var found = ends?.removed
        var lines: [Line] = []
        try tables.rows(from: .min, count: .max) { row throws(StateFailure) in
            let isRight = walk.take(row)
            let entry = AuditEntry(decoding: row.content)
            report.count += 1
            report.since = report.since ?? entry?.time
            report.last = row.link
            if row.link.number == known?.number { found = row.link }
            guard limit > 0, wanted(entry) else { return }
            lines.append(Line(link: row.link, entry: entry, isRight: isRight))
            if lines.count >= 2 * limit { lines.removeFirst(lines.count - limit) }
        }
        walk.finish()
        report.lines = lines.suffix(limit)
        report.breaks = walk.breaks
        report.breakCount = walk.breakCount
        if let ends {
            report.last = ends.last
            if ends.removed.number > 0 { report.removed = (ends.removed, ends.removedTime) }
        }
        report.compare(found, with: known)
        return report
    }

    /// A trail that was exchanged for an earlier copy of itself is in order; only who has noted an entry sees it.
    private mutating func compare(_ found: AuditLink?, with known: (number: Int64, digits: String)?) {
        guard let known, known.number >= removed?.link.number ?? 0 else { return }
        if let found, found.words == "\(known.number):\(known.digits)" { return }
        let words =
            known.number > last.number
            ? "it was noted, and the trail ends before it: it is an earlier copy, or was cut"
            : "it was noted as \(known.number):\(known.digits), and is another one now"
        breakCount += 1
        breaks.append(AuditBreak(number: known.number, words: words))
    }
}
