import Glibc
package import TollkeyCore

/// Where the time comes from: the system, or hands that a test moves.
package struct Clock: Sendable {
    package let monotonic: @Sendable () -> MonotonicTime
    /// Milliseconds since 1970, UTC.
    package let wall: @Sendable () -> Int64

    /// Nanoseconds since 1970, UTC, as far as the clock tells them.
    package let wallNanoseconds: @Sendable () -> Int64

    package init(
        monotonic: @escaping @Sendable () -> MonotonicTime, wall: @escaping @Sendable () -> Int64
    ) {
        self.monotonic = monotonic
        self.wall = wall
        wallNanoseconds = { wall() * 1_000_000 }
    }

    private init() {
        monotonic = MonotonicTime.system
        wall = { Self.systemNanoseconds() / 1_000_000 }
        wallNanoseconds = Self.systemNanoseconds
    }

    package static let system = Clock()

    @Sendable private static func systemNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    package var now: Moment { Moment(wall: wall(), monotonic: monotonic().nanoseconds) }
}
