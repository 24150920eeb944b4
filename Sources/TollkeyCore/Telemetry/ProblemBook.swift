/// What went wrong lately, by kind and provider.
package struct ProblemBook: Sendable {
    /// One kind of trouble with one provider. Times are milliseconds since 1970.
    package struct Entry: Sendable, Equatable {
        package var kind: String
        package var provider: String
        package var side: FailureKind.Side
        package var count: UInt64
        package var first: Int64
        package var last: Int64
        /// Of the last one.
        package var words: String
    }

    private struct Key: Hashable {
        let kind: String
        let provider: String
    }
    private var entries: [Key: Entry] = [:]

    /// The oldest is forgotten beyond it.
    package static let entriesMax = 256
    /// Nothing older is told.
    package static let ageMax: Int64 = 3_600_000

    package init() {}

    package mutating func note(
        _ kind: String, provider: String, side: FailureKind.Side, words: String, at time: Int64
    ) {
        add(
            Entry(
                kind: kind, provider: provider, side: side, count: 1, first: time, last: time, words: words))
    }

    package mutating func add(_ entry: Entry) {
        let key = Key(kind: entry.kind, provider: entry.provider)
        guard var known = entries[key], entry.last - known.last < Self.ageMax else {
            if entries[key] == nil, entries.count >= Self.entriesMax,
                let oldest = entries.min(by: { $0.value.last < $1.value.last })
            {
                entries[oldest.key] = nil
            }
            entries[key] = entry
            return
        }
        known.count += entry.count
        known.first = min(known.first, entry.first)
        if entry.last >= known.last { (known.last, known.words) = (entry.last, entry.words) }
        entries[key] = known
    }

    package mutating func add(_ other: ProblemBook) { for entry in other.entries.values { add(entry) } }

    /// Newest first.
    package func recent(at time: Int64) -> [Entry] {
        entries.values.filter { time - $0.last < Self.ageMax }
            .sorted { ($0.last, $0.kind, $0.provider) > ($1.last, $1.kind, $1.provider) }
    }
}
