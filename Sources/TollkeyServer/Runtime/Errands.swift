import CLinux
import Glibc
import Synchronization

/// Work that waits for disks and for other machines, on threads of its own: the event loops and the token refresher
/// must not.
///
/// The threads start when they are needed and end with `close`. Whoever hands in work has a bounded amount of it under
/// way, which bounds the queue.
final class Errands: Sendable {
    typealias Errand = @Sendable () -> Void

    private struct State {
        var queue: [Errand] = []
        var threads = 0
        var idle = 0
        var isClosed = false
    }
    private let state = Mutex(State())
    private let wakeUp: Int32
    private let ended: Gate

    static let threadsMax = 32

    init() throws(SystemError) {
        wakeUp = try SystemError.check("eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_SEMAPHORE))
        ended = try Gate()
    }

    /// False when there is no thread to do it, or `close` was called: then it is never done.
    func run(_ errand: @escaping Errand) -> Bool {
        let (isTaken, mustStart) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.queue.append(errand)
            guard state.queue.count > state.idle, state.threads < Self.threadsMax else {
                return (true, false)
            }
            state.threads += 1
            return (true, true)
        }
        guard isTaken else { return false }
        if mustStart, !Threads.start("errand", { [self] in work() }) {
            let isLost = state.withLock { state in
                state.threads -= 1
                guard state.threads == 0 else { return false }
                state.queue.removeAll()
                return true
            }
            if isLost { return false }
        }
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
        return true
    }

    private func work() {
        defer { ended.open() }
        while true {
            state.withLock { $0.idle += 1 }
            var count: UInt64 = 0
            read(wakeUp, &count, 8)
            let (next, isClosed) = state.withLock { state in
                state.idle -= 1
                return (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isClosed)
            }
            if isClosed { return }
            next?()
        }
    }

    /// Drops what has not begun and returns once what has is done. What takes longer than `patience` is told to hurry,
    /// by `hurry`.
    func close(patience: Duration, hurry: () -> Void) {
        let threads = state.withLock { state in
            state.isClosed = true
            state.queue.removeAll()
            return state.threads
        }
        guard threads > 0 else { return }
        var wakes = UInt64(threads)
        write(wakeUp, &wakes, 8)
        var left = threads
        while left > 0, ended.wait(for: 1, timeout: patience) { left -= 1 }
        hurry()
        _ = ended.wait(for: left, timeout: nil)
    }

    deinit { Glibc.close(wakeUp) }
}
