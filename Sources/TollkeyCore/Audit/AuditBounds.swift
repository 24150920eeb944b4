/// How much of a trail stays: entries of a certain age, and never more than the state has room for.
package struct AuditBounds: Sendable {
    package var keep: Duration
    package var entriesMax: Int64 = 100_000
    /// All entries together: half of what the state may take, so that tokens always have room.
    package var bytesMax: Int64 = 32 << 20

    package init(keep: Duration) { self.keep = keep }

    /// What an entry takes, with its hash and what the database adds.
    package static func bytes(of content: [UInt8]) -> Int64 { Int64(content.count) + 64 }

    /// Whether the oldest entry must go, whatever it is.
    package func isOver(count: Int64, bytes: Int64) -> Bool { count > entriesMax || bytes > bytesMax }

    /// Whether an entry of that time has been kept long enough.
    package func isOld(_ time: Int64, at now: Int64) -> Bool {
        let (least, isUnder) = now.subtractingReportingOverflow(keep.milliseconds)
        return !isUnder && time < least
    }
}
