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

    func accept() {
        isWaiting = false
        for _ in 0..<Self.acceptsPerTurn {
            guard worker.hasRoom else {
                isWaiting = true
                return
            }
            let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let client = accept4(descriptor, nil, nil, flags)
            guard client >= 0 else {
                switch errno {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    isWaiting = true
                    return setDeadline(loop.now + Self.retryTime)
                // A client that has gone already, or a network's passing trouble (accept(2)).
                default: continue
                }
            }
            worker.accepted(client, peer: isUnix ? Self.peer(client) : nil)
        }
        loop.continueLater(self)
    }

    private static func peer(_ descriptor: Int32) -> Admission.Peer? {
        var credentials = tollkey_peer()
        var size = socklen_t(MemoryLayout<tollkey_peer>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return Admission.Peer(uid: credentials.uid, gid: credentials.gid)
    }
}
