import CLinux
import Glibc
import TollkeyCore

/// A connection to a `RedirectListener`, which asks once.
struct RedirectVisitor {
    let descriptor: Int32
    /// When it is sent away.
    let end: MonotonicTime
    private var bytes: [UInt8] = []

    enum Step {
        case waits, gone
        /// The query of the redirect, or of what pretends to be it.
        case brings(ArraySlice<UInt8>)
        case asksElse(RedirectPage)
    }

    /// nil when nobody waits any more.
    init?(from socket: ListeningSocket, end: MonotonicTime) {
        let flags = UInt32(SOCK_NONBLOCK.rawValue) | UInt32(SOCK_CLOEXEC.rawValue)
        let accepted = accept4(socket.descriptor, nil, nil, Int32(flags))
        guard accepted >= 0 else { return nil }
        descriptor = accepted
        self.end = end
    }

    mutating func read(path: [UInt8]) -> Step {
        var room = [UInt8](repeating: 0, count: RedirectListener.requestBytesMax)
        let result = room.withUnsafeMutableBytes { Socket.read(descriptor, $0) }
        switch result {
        case .bytes(let count): bytes += room.prefix(count)
        case .wouldBlock: return .waits
        case .end, .failed: return .gone
        }
        var head = RequestHead()
        do throws(HeadError) {
            guard try head.read(bytes.span, limits: Self.limits) else { return .waits }
        } catch { return .asksElse(.malformed) }
        // A page elsewhere can make its own name resolve to loopback.
        guard let host = head.fields.host, Self.isLoopback(bytes[head.fields.lines[host].value]) else {
            return .asksElse(.forbiddenHost)
        }
        guard bytes[head.method].elementsEqual("GET".utf8) else { return .asksElse(.notGET) }
        guard bytes[head.target.path].elementsEqual(path) else { return .asksElse(.notFound) }
        return .brings(bytes[head.target.query].dropFirst())
    }

    private static var limits: ClientLimits {
        var limits = ClientLimits()
        limits.head = RedirectListener.requestBytesMax
        limits.target = RedirectListener.requestBytesMax
        return limits
    }

    private static func isLoopback(_ host: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: host, as: UTF8.self).lowercased()
        return ["localhost", "127.0.0.1", "[::1]"].contains { name in
            text == name
                || text.hasPrefix("\(name):") && text.dropFirst(name.count + 1).allSatisfy(\.isNumber)
        }
    }

    /// Ends the connection.
    func leave(with page: RedirectPage? = nil) {
        if let page {
            // So little always fits into an empty send buffer.
            _ = page.bytes.withUnsafeBytes { Socket.write(descriptor, $0) }
            shutdown(descriptor, Int32(SHUT_WR))
        }
        close(descriptor)
    }
}
