import Glibc
import TollkeyCore

/// A socket that is bound and listens; each event loop accepts from a duplicate of it.
struct ListeningSocket {
    let descriptor: Int32
    /// Made by a service manager, and its to remove.
    let isInherited: Bool

    static let backlog: Int32 = 4_096
    private static let unsentBytesMax: Int32 = 128 << 10

    init(_ address: ListenAddress) throws(StartFailure) {
        switch address {
        case .tcp(let host, let port): try self.init(host: host, port: port)
        case .unix(let path): try self.init(path: path)
        }
    }

    /// One that systemd has made.
    init(inherited descriptor: Int32) {
        self.descriptor = descriptor
        isInherited = true
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        boundUnsent()
    }

    private init(host: String, port: Int) throws(StartFailure) {
        let literal = host == "localhost" ? "127.0.0.1" : host
        guard let address = SocketAddress(host: literal, port: port) else {
            throw StartFailure("\(host):\(port) is no address to listen on")
        }
        isInherited = false
        descriptor = try Self.open(address.family, "\(host):\(port)")
        Socket.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        // Accepted sockets inherit it.
        Socket.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        boundUnsent()
        if address.family == AF_INET6 { Socket.set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        try Self.bind(descriptor, address, "\(host):\(port)")
    }

    /// What the system takes of an answer beyond what has been sent: without a bound it is megabytes for each client who
    /// does not read, and a thousand of them use up what all connections of the machine share (tcp_mem, tcp(7)).
    /// Accepted sockets inherit it; a unix socket has none.
    private func boundUnsent() {
        Socket.set(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, Self.unsentBytesMax)
    }

    private init(path: String) throws(StartFailure) {
        guard let address = SocketAddress(unixPath: path) else {
            throw StartFailure("unix:\(path) is too long for a socket's path")
        }
        try Self.removeStale(path, address)
        isInherited = false
        descriptor = try Self.open(AF_UNIX, "unix:\(path)")
        try Self.bind(descriptor, address, "unix:\(path)")
        // Who may connect is then up to the folder's permissions, and to 'peers'.
        chmod(path, 0o666)
    }

    /// A socket that nobody listens on any more is in the way of ours; anything else is somebody's.
    private static func removeStale(_ path: String, _ address: SocketAddress) throws(StartFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw StartFailure("\(path) exists and is no socket")
        }
        let probe = try open(AF_UNIX, "unix:\(path)")
        defer { Glibc.close(probe) }
        guard address.withPointer({ connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED else {
            throw StartFailure("unix:\(path): another process listens there")
        }
        unlink(path)
    }

    private static func open(_ family: Int32, _ name: String) throws(StartFailure) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw StartFailure("\(name): \(SystemError.text(errno))") }
        return descriptor
    }

    private static func bind(
        _ descriptor: Int32, _ address: SocketAddress, _ name: String
    ) throws(StartFailure) {
        guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0
        else {
            let text = SystemError.text(errno)
            Glibc.close(descriptor)
            throw StartFailure("cannot listen on \(name): \(text)")
        }
    }

    /// What it is bound to; the port is the real one also where 0 was asked for.
    var boundPort: Int { SocketAddress(boundTo: descriptor)?.port ?? 0 }

    func close(_ address: ListenAddress) {
        Glibc.close(descriptor)
        if !isInherited, case .unix(let path) = address { unlink(path) }
    }
}

/// Why the proxy cannot start, or not go over to another configuration; for a person.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
