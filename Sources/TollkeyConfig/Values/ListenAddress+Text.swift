package import TollkeyCore

extension ListenAddress {
    /// Parses `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or `unix:/path`.
    package init(parsing text: String) throws(Misfit) {
        if text.utf8.starts(with: "unix:".utf8) {
            self = .unix(path: try Self.socketPath(String(text.dropFirst(5))))
            return
        }
        let isPort = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        if isPort || text.first == ":" {
            throw Misfit("needs an address in front of the port, such as 127.0.0.1:8080")
        }
        let authority = try Authority(text, ports: Bounds.listenPort)
        guard let port = authority.port else {
            throw Misfit("needs a port, such as 127.0.0.1:8080, or must be unix:/path")
        }
        guard authority.host == "localhost" || IPAddress(authority.host) != nil else {
            throw Misfit("must be a literal address (127.0.0.1:8080), localhost:8080 or unix:/path")
        }
        self = .tcp(host: authority.host, port: port)
    }

    private static func socketPath(_ path: String) throws(Misfit) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Misfit("must have an absolute path behind \"unix:\", such as unix:/run/tollkey/proxy.sock")
        }
        guard path.utf8.count <= Bounds.unixPathBytes else {
            throw Misfit(
                "has a path of more than \(Bounds.unixPathBytes) bytes, which the system cannot bind")
        }
        guard path.utf8.last != UInt8(ascii: "/") else { throw Misfit("names a folder; name a socket in it") }
        return path
    }

    var isLoopback: Bool {
        switch self {
        case .tcp(let host, _): UpstreamURL.isLoopback(host)
        case .unix: true
        }
    }

    /// The same for two addresses of which only one can be bound; nil for a port that the system chooses.
    var identity: String? {
        switch self {
        case .unix(let path): return "unix:\(path)"
        case .tcp(_, port: 0): return nil
        case .tcp(let host, let port):
            let address = IPAddress(host == "localhost" ? "127.0.0.1" : host)
            return "\(address?.bytes ?? []):\(port)"
        }
    }
}
