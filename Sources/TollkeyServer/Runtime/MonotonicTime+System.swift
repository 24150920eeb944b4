import Glibc
package import TollkeyCore

extension MonotonicTime {
    /// The system's clock, which goes on while the machine sleeps.
    package static func system() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
