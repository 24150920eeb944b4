import Synchronization
import TollkeyCore
import TollkeyServer

/// A clock that stands still until a test moves it.
final class ManualClock: Sendable {
    private let hands: Mutex<(monotonic: MonotonicTime, wall: Int64)>

    /// How far each look at it moves it on.
    private let tick: TimeSpan

    /// `wall` in seconds since 1970.
    init(wall: Int64 = 1_800_000_000, tick: Duration = .zero) {
        self.tick = TimeSpan(tick)
        hands = Mutex((MonotonicTime(nanoseconds: 1_000_000_000_000), wall * 1_000))
    }

    var clock: Clock { Clock(monotonic: { self.now() }, wall: { self.hands.withLock { $0.wall } }) }

    func now() -> MonotonicTime {
        hands.withLock { hands in
            defer { hands.monotonic = hands.monotonic + tick }
            return hands.monotonic
        }
    }

    /// Seconds since 1970.
    var seconds: Int64 { hands.withLock { $0.wall / 1_000 } }

    func advance(by duration: Duration) {
        hands.withLock {
            $0.monotonic = $0.monotonic + TimeSpan(duration)
            $0.wall += TimeSpan(duration).nanoseconds / 1_000_000
        }
    }

    /// Sets the wall clock alone, as an operator or a time server does.
    func step(by duration: Duration) {
        hands.withLock { $0.wall += TimeSpan(duration).nanoseconds / 1_000_000 }
    }
}
