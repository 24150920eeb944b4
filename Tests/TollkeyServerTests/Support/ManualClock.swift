import Synchronization
import TollkeyServer

/// A clock that stands still until a test moves it.
final class ManualClock: Sendable {
    private let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000_000))

    func now() -> MonotonicTime { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + TimeSpan(duration) }
    }
}
