import CLinux
import Glibc
import TollkeyCore

/// Accepts clients on one socket, for one event loop.
final class Listener: Pollable {
    private let worker: Worker
    private let isUnix: Bool
    /// It has more to accept than it was let.
    private var isWaiting = false

    private static let acceptsPerTurn = 64
    /// After the system has run out of descriptors or memory.
    private static let retryTime = TimeSpan(.milliseconds(100))

    init(_ worker: Worker, isUnix: Bool) {
        self.worker = worker
        self.isUnix = isUnix
        super.init(loop: worker.loop)
    }

    override func ready(_ events: Readiness) { accept() }

    override func deadlinePassed() { accept() }

    /// A client has gone, so there may be room for another.
    func resume() { if isWaiting { accept() } }

    /// All that wait in the system's queue, for the last time.
    func acceptAll() {
        for _ in 0..<ListeningSocket.backlog where !acceptOne() { return }
    }

    func accept() {
        isWaiting = false
        for _ in 0..<Self.acceptsPerTurn {
            guard worker.hasRoom else {
                isWaiting = true
                worker.noteNoRoom()
                return
            }
            guard acceptOne() else { return }
        }
        loop.continueLater(self)
    }

    /// False when there is no more for now.
    private func acceptOne() -> Bool {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let client = accept4(descriptor, nil, nil, flags)
        if client >= 0 {
            worker.accepted(client, peer: isUnix ? Self.peer(client) : nil)
            return true
        }
        switch errno {
        // A client that has gone already, or a network's passing trouble (accept(2)).
        case ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH:
            return true
        case EAGAIN: return false
        // No descriptors or no memory, which may come back; or a socket that cannot accept, which must not spin.
        case let code:
            isWaiting = true
            worker.noteNoRoom(SystemError.text(code))
            setDeadline(loop.now + Self.retryTime)
            return false
        }
    }

    static func peer(_ descriptor: Int32) -> Admission.Peer? {
        var credentials = tollkey_peer()
        var size = socklen_t(MemoryLayout<tollkey_peer>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return Admission.Peer(uid: credentials.uid, gid: credentials.gid)
    }
}
