/// How long things took: a count for each bucket, as Prometheus has them.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds in seconds, each included in its bucket. Beyond the last one is a bucket of its own.
    package static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    private static let nanoseconds = bounds.map { Int64($0 * 1e9) }

    /// As many as there are bounds, and one. Not added up.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// Of all that was observed, in nanoseconds.
    package private(set) var sum: Int64 = 0

    package init() {}

    package var count: UInt64 { counts.reduce(0, &+) }
    package var seconds: Double { Double(sum) / 1e9 }

    package mutating func observe(_ span: TimeSpan) {
        var bucket = 0
        while bucket < Self.nanoseconds.count, span.nanoseconds > Self.nanoseconds[bucket] { bucket += 1 }
        counts[bucket] &+= 1
        sum &+= span.nanoseconds
    }

    package mutating func add(_ other: Histogram) {
        for i in counts.indices { counts[i] &+= other.counts[i] }
        sum &+= other.sum
    }
}
