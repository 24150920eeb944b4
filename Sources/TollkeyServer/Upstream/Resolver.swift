import CLinux
import Glibc
import Synchronization

/// Names to addresses, off the event loops: the system's resolver blocks, so it has threads of its own.
///
/// The threads start when they are needed and end with `close`; each upstream has one look-up under way at most,
/// which bounds the queue.
final class Resolver: Sendable {
    private struct LookUp: Sendable {
        let host: String
        let port: Int
        let reply: @Sendable ([SocketAddress]?) -> Void
    }
    private struct State {
        var queue: [LookUp] = []
        var threads = 0
        var idle = 0
        var isClosed = false
    }
    private let state = Mutex(State())
    private let wakeUp: Int32

    static let threadsMax = 4

    init() throws(SystemError) {
        let flags = tollkey_EFD_CLOEXEC | tollkey_EFD_SEMAPHORE
        wakeUp = try SystemError.check("eventfd", eventfd(0, flags))
    }

    /// Calls `reply` on a thread of the resolver: the addresses, or nil.
    func lookUp(_ host: String, _ port: Int, reply: @escaping @Sendable ([SocketAddress]?) -> Void) {
        let mustStart = state.withLock { state in
            guard !state.isClosed else { return false }
            state.queue.append(LookUp(host: host, port: port, reply: reply))
            guard state.queue.count > state.idle, state.threads < Self.threadsMax else { return false }
            state.threads += 1
            return true
        }
        if mustStart, !Threads.start("resolver", { [self] in work() }) {
            state.withLock { $0.threads -= 1 }
            let unanswered = state.withLock { state in
                guard state.threads == 0 else { return [LookUp]() }
                defer { state.queue = [] }
                return state.queue
            }
            for lookUp in unanswered { lookUp.reply(nil) }
        }
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    private func work() {
        while true {
            state.withLock { $0.idle += 1 }
            var count: UInt64 = 0
            read(wakeUp, &count, 8)
            let (next, isClosed) = state.withLock { state in
                state.idle -= 1
                return (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isClosed)
            }
            if isClosed { return }
            if let next { next.reply(SocketAddress.lookUp(next.host, next.port)) }
        }
    }

    /// Ends the threads, each once its look-up is over. What was asked for and not answered stays so.
    func close() {
        var wakes: UInt64 = state.withLock { state in
            state.isClosed = true
            state.queue = []
            return UInt64(state.threads)
        }
        if wakes > 0 { write(wakeUp, &wakes, 8) }
    }

    deinit { Glibc.close(wakeUp) }
}
