import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// Accepts operators' connections and answers one request on each, on a thread of its own for each.
///
/// Nothing here shares a thread with calls: an operator that asks for much, or reads slowly, costs no client anything.
final class AdminListener: Sendable {
    private struct State {
        /// Over unix sockets, and over TCP: one cannot keep the other out.
        var running = [false: 0, true: 0]
        var isClosed = false
        var isIdle: Bool { running.values.allSatisfy { $0 == 0 } }
    }
    private let state = Mutex(State())
    private let sockets: Mutex<[ListenAddress: ListeningSocket]>
    private let isUnix: [Int32: Bool]
    private let answer: @Sendable (AdminRequest, Admission.Peer?) -> AdminAnswer
    private let interrupt: Interrupt
    private let ended: Gate
    /// Nobody is answered any more, once it is closed.
    private let idle: Gate

    private static let busy =
        AdminAnswer.problem(.overloaded, "Too many operators ask at the same time.").bytes(
            withoutContent: false)

    /// Connections at a time over TCP, and as many over unix sockets; further ones are turned away.
    static let connectionsMax = 32
    /// For a whole request, so that whoever says nothing soon makes room; and for taking the whole answer.
    static let askTimeout = TimeSpan(.seconds(3))
    static let timeout = TimeSpan(.seconds(10))
    /// After the system has run out of descriptors or memory.
    private static let retryTime = TimeSpan(.milliseconds(100))

    /// `answer` may block its thread, for bounded times.
    init(
        _ sockets: [ListenAddress: ListeningSocket],
        answer: @escaping @Sendable (AdminRequest, Admission.Peer?) -> AdminAnswer
    ) throws(StartFailure) {
        self.sockets = Mutex(sockets)
        self.answer = answer
        isUnix = Dictionary(
            uniqueKeysWithValues: sockets.map { address, socket in
                if case .unix = address { (socket.descriptor, true) } else { (socket.descriptor, false) }
            })
        do throws(SystemError) {
            interrupt = try Interrupt()
            ended = try Gate()
            idle = try Gate()
        } catch { throw StartFailure(error.description) }
        let descriptors = Array(isUnix.keys)
        guard Threads.start("admin", { [self] in accept(descriptors) }) else {
            throw StartFailure("the system has no thread to give")
        }
    }

    /// Ports of the TCP sockets, in no order.
    var ports: [Int] { sockets.withLock { $0.values.map(\.boundPort).filter { $0 != 0 } } }

    var open: [ListenAddress: ListeningSocket] { sockets.withLock { $0 } }

    /// Accepts nobody any more, and leaves the sockets to the caller; answers under way end by themselves.
    func release() -> [ListenAddress: ListeningSocket] {
        let taken = sockets.withLock { sockets in
            defer { sockets = [:] }
            return sockets
        }
        guard !taken.isEmpty else { return [:] }
        interrupt.strike()
        _ = ended.wait(for: 1, timeout: nil)
        return taken
    }

    /// Returns once nobody is answered any more, or after `patience`. For one that has been released.
    func waitForAnswers(_ patience: Duration) {
        let isIdle = state.withLock { state in
            state.isClosed = true
            return state.isIdle
        }
        if !isIdle { _ = idle.wait(for: 1, timeout: patience) }
    }

    /// As `release`, and closes the sockets.
    func close() { for (address, socket) in release() { socket.close(address) } }

    private func leave(_ isUnix: Bool) {
        let isLast = state.withLock { state in
            state.running[isUnix, default: 0] -= 1
            return state.isClosed && state.isIdle
        }
        if isLast { idle.open() }
    }

    private func accept(_ descriptors: [Int32]) {
        defer { ended.open() }
        var next = 0
        while !interrupt.isStruck {
            guard let ready = interrupt.wait(forAnyOf: descriptors, from: next) else { return }
            next = ready + 1
            let listening = descriptors[ready]
            let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let client = accept4(listening, nil, nil, flags)
            guard client >= 0 else {
                // No descriptors, or no memory: they may come back, and must not be waited for in a circle.
                _ = interrupt.wait(for: 0, on: listening, until: MonotonicTime.system() + Self.retryTime)
                continue
            }
            let isUnix = isUnix[listening] == true
            let peer = isUnix ? Listener.peer(client) : nil
            let hasRoom = state.withLock { state in
                guard state.running[isUnix, default: 0] < Self.connectionsMax else { return false }
                state.running[isUnix, default: 0] += 1
                return true
            }
            let isStarted =
                hasRoom
                && Threads.start("visitor") { [self] in
                    AdminConversation(client, interrupt).run { answer($0, peer) }
                    leave(isUnix)
                }
            if !isStarted {
                if hasRoom { leave(isUnix) }
                // So little always fits into an empty send buffer.
                _ = Self.busy.withUnsafeBytes { Socket.write(client, $0) }
                shutdown(client, Int32(SHUT_WR))
                // What has come and is not read would take the answer away again.
                _ = withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 1) {
                    Socket.read(client, $0)
                }
                Glibc.close(client)
            }
        }
    }
}
