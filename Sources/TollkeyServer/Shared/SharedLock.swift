import Synchronization
import TollkeyCore

/// A lock among the processes of this machine and, unless Redis was away, among replicas.
final class SharedLock: RecordLock {
    private let own: StateLock
    private let callUntil: (clock: Clock, end: MonotonicTime)?
    private let end: @Sendable () -> Void
    private let isReleased = Atomic(false)

    /// `callUntil` is nil when it is no other replica's affair; `end` gives it back to them.
    init(
        _ own: StateLock, callUntil: (clock: Clock, end: MonotonicTime)?,
        _ end: @escaping @Sendable () -> Void
    ) {
        self.own = own
        self.callUntil = callUntil
        self.end = end
    }

    deinit { release() }

    var allowsCall: Bool { callUntil.map { $0.clock.monotonic() < $0.end } ?? true }

    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        end()
        own.release()
    }
}
