import Glibc

/// A listening socket whose connections the test accepts and serves itself, byte by byte.
final class RawUpstream: Sendable {
    private let descriptor: Int32
    let port: Int
    let host: String

    /// `host` is a literal address. Without `listens` the port is taken and refuses.
    init(host: String = "127.0.0.1", listens: Bool = true, backlog: Int32 = 128) throws {
        let address = try RawAddress(host: host, port: 0)
        self.host = host
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        self.descriptor = descriptor
        guard descriptor >= 0, address.withPointer({ bind(descriptor, $0, $1) }) == 0,
            !listens || listen(descriptor, backlog) == 0
        else { throw RawConnection.Failure.system("listen on \(host)", errno) }
        port = Self.port(of: descriptor)
    }

    deinit { close(descriptor) }

    func accept() throws -> RawConnection {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, RawConnection.waitMilliseconds) == 1 else { throw RawConnection.Failure.late }
        let connection = Glibc.accept(descriptor, nil, nil)
        guard connection >= 0 else { throw RawConnection.Failure.system("accept", errno) }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        let raw = RawConnection(descriptor: connection)
        raw.sendAtOnce()
        return raw
    }

    /// Whether somebody waits to be accepted at this moment.
    var hasCaller: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// A descriptor of the same socket, for whoever is to own one.
    func duplicate() -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 3) }

    private static func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return withUnsafeBytes(of: storage) { Int($0[2]) << 8 | Int($0[3]) }
    }
}
