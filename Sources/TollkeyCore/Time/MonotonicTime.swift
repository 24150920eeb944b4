/// A moment on the monotonic clock.
package struct MonotonicTime: Sendable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let never = MonotonicTime(nanoseconds: .max)
    /// Before every other moment.
    package static let past = MonotonicTime(nanoseconds: .min)

    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (time: MonotonicTime, span: TimeSpan) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    package var microseconds: Int64 { nanoseconds / 1_000 }

    /// Rounded up.
    package var microsecondsUp: Int64 { nanoseconds / 1_000 + (nanoseconds % 1_000 > 0 ? 1 : 0) }

    /// From `earlier` to here; zero when that is later.
    package func since(_ earlier: MonotonicTime) -> TimeSpan {
        guard earlier < self else { return TimeSpan(nanoseconds: 0) }
        let (span, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? .max : span)
    }
}

/// A duration as event loops add it up: once per setting converted, not once per request.
package struct TimeSpan: Sendable, Hashable, Comparable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? .max : whole &+ attoseconds / 1_000_000_000
    }

    package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Rounded up: who waits for so many seconds has waited long enough.
    package var secondsUp: Int {
        Int(nanoseconds / 1_000_000_000) + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)
    }

    package var microseconds: Int64 { nanoseconds / 1_000 }

    package init(microseconds: Int64) {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1_000)
        nanoseconds = overflow ? (microseconds < 0 ? .min : .max) : product
    }
}
