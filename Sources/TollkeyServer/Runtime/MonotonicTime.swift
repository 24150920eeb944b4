import Glibc

/// A moment on the monotonic clock.
package struct MonotonicTime: Sendable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let never = MonotonicTime(nanoseconds: .max)

    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (time: MonotonicTime, span: TimeSpan) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// The system's clock, which goes on while the machine sleeps.
    package static func system() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// A duration as event loops add it up: once per setting converted, not once per request.
package struct TimeSpan: Sendable, Equatable {
    package let nanoseconds: Int64

    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? .max : whole &+ attoseconds / 1_000_000_000
    }
}
