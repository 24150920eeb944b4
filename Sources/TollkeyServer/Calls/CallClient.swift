import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// Makes the proxy's own calls, off the event loops: each on a connection of its own, and never twice.
///
/// `submit` has threads of its own, which start when they are needed and end with `close`. A provider that hangs
/// holds one of them for as long as the call's timeouts allow.
package final class CallClient: Sendable {
    package typealias Reply = @Sendable (Result<CallAnswer, CallFault>) -> Void

    private struct Job: Sendable {
        let call: OutgoingCall
        let reply: Reply
    }
    private struct State {
        var queue: [Job] = []
        var threads = 0
        var idle = 0
        /// Calls under way, on whichever thread.
        var running: [ObjectIdentifier: Interrupter] = [:]
        var isClosed = false
    }
    private let state = Mutex(State())
    private let wakeUp: Int32
    /// Opened by each thread that ends after `close`.
    private let ended: Gate

    package static let threadsMax = 8
    /// Calls that wait for a thread.
    package static let queueMax = 1_024

    package init() throws(SystemError) {
        ended = try Gate()
        wakeUp = try SystemError.check("eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_SEMAPHORE))
    }

    /// Makes the call on this thread, which waits for it.
    package func perform(_ call: OutgoingCall) -> Result<CallAnswer, CallFault> {
        let interrupter = Interrupter()
        let isOpen = state.withLock { state in
            if !state.isClosed { state.running[ObjectIdentifier(interrupter)] = interrupter }
            return !state.isClosed
        }
        guard isOpen else { return .failure(.cancelled) }
        defer { state.withLock { _ = $0.running.removeValue(forKey: ObjectIdentifier(interrupter)) } }
        return CallRun(call, interrupter).result()
    }

    /// Makes the call on a thread of the client's and calls `reply` there, once. A call that cannot be taken is
    /// answered at once, on the caller's thread.
    package func submit(_ call: OutgoingCall, reply: @escaping Reply) {
        enum Verdict {
            case refused(CallFault)
            case queued(mustStart: Bool)
        }
        let verdict: Verdict = state.withLock { state in
            if state.isClosed { return .refused(.cancelled) }
            if state.queue.count >= Self.queueMax { return .refused(.busy) }
            state.queue.append(Job(call: call, reply: reply))
            guard state.queue.count > state.idle, state.threads < Self.threadsMax else {
                return .queued(mustStart: false)
            }
            state.threads += 1
            return .queued(mustStart: true)
        }
        switch verdict {
        case .refused(let fault): return reply(.failure(fault))
        case .queued(let mustStart):
            if mustStart, !Threads.start("calls", { [self] in work() }) { giveUpThread() }
        }
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    private func work() {
        defer { threadEnded() }
        while true {
            state.withLock { $0.idle += 1 }
            var count: UInt64 = 0
            read(wakeUp, &count, 8)
            let (next, isClosed) = state.withLock { state in
                state.idle -= 1
                return (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isClosed)
            }
            if isClosed { return }
            if let next { next.reply(perform(next.call)) }
        }
    }

    /// The system has no thread to give. Those that run take the queue; without any nobody would.
    private func giveUpThread() {
        threadEnded()
        let unanswered = state.withLock { state in
            guard state.threads == 0 else { return [Job]() }
            defer { state.queue = [] }
            return state.queue
        }
        for job in unanswered { job.reply(.failure(.busy)) }
    }

    private func threadEnded() {
        let isAwaited = state.withLock { state in
            state.threads -= 1
            return state.isClosed
        }
        if isAwaited { ended.open() }
    }

    /// Ends everything: calls under way are answered with `cancelled`, and so are those that wait, on this thread.
    /// Returns when the client's threads have ended and each reply was called; so it is not to be called from one.
    package func close() {
        let (jobs, interrupters, threads) = state.withLock { state in
            guard !state.isClosed else { return ([Job](), [Interrupter](), 0) }
            state.isClosed = true
            defer { state.queue = [] }
            return (state.queue, Array(state.running.values), state.threads)
        }
        for interrupter in interrupters { interrupter.strike() }
        var wakes = UInt64(threads)
        if wakes > 0 { write(wakeUp, &wakes, 8) }
        for job in jobs { job.reply(.failure(.cancelled)) }
        _ = ended.wait(for: threads, timeout: nil)
    }

    deinit { Glibc.close(wakeUp) }
}
