import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// A thread for one purpose: performs letters, and a turn whenever something has come or a time has passed. Also an
/// actor's executor.
final class TurnThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var letters: [@Sendable () -> Void] = []
        var isClosed = false
    }
    private let state = Mutex(State())
    private let thread = Mutex<pthread_t?>(nil)
    private let wakeUp: Int32
    private let ended: Gate
    private let name: String

    /// A step of the wall clock is noticed after this long, if nothing else happens.
    static let waitMax: Duration = .seconds(10)

    init(_ name: String) throws(SystemError) {
        self.name = name
        wakeUp = try SystemError.check("eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_NONBLOCK))
        ended = try Gate()
    }

    deinit { Glibc.close(wakeUp) }

    /// Calls `turn` after each piece of news, and when the time has passed that it returns. `descriptor` may be -1;
    /// `turn` is told whether it is readable. False when the system has no thread.
    func start(watching descriptor: Int32, _ turn: @escaping @Sendable (_ isReadable: Bool) -> Duration)
        -> Bool
    {
        Threads.start(name) { [self] in
            defer { ended.open() }
            thread.withLock { $0 = pthread_self() }
            var isReadable = false
            while true {
                let (jobs, letters, isClosed) = state.withLock { state in
                    defer { (state.jobs, state.letters) = ([], []) }
                    return (state.jobs, state.letters, state.isClosed)
                }
                for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
                for letter in letters { letter() }
                if isClosed { return }
                isReadable = wait(min(turn(isReadable), Self.waitMax), descriptor)
            }
        }
    }

    private func wait(_ span: Duration, _ descriptor: Int32) -> Bool {
        var entries = [
            pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2, Int32(clamping: span.milliseconds + 1))
        var count: UInt64 = 0
        read(wakeUp, &count, 8)
        return entries[1].revents != 0
    }

    /// Has `letter` performed on the thread, before the next turn.
    func post(_ letter: @escaping @Sendable () -> Void) {
        state.withLock { if !$0.isClosed { $0.letters.append(letter) } }
        wake()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        wake()
    }

    func checkIsolated() {
        // SAFETY: what the runtime asks for here is to end the process; only the actor itself could be at
        // fault, since it is entered through `post` and `turn` alone, and both run on this thread.
        precondition(thread.withLock { $0 } == pthread_self(), "not on the actor's thread")
    }

    func wake() {
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    /// Returns once the thread has ended.
    func close() {
        state.withLock { $0.isClosed = true }
        wake()
        _ = ended.wait(for: 1, timeout: nil)
    }
}
