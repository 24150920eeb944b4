import Glibc
import TollkeyCore

/// An IPv4, IPv6 or unix socket address in the system's form.
package struct SocketAddress: Sendable {
    private var storage: sockaddr_storage
    private let length: socklen_t

    package init?(host: String, port: Int) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        guard let first = Self.resolve(host, port, hints)?.first else { return nil }
        self = first
    }

    init?(unixPath: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(unixPath.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count < room else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        storage = sockaddr_storage()
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafeMutableBytes(of: &storage) { out in
            withUnsafeBytes(of: &address) { out.copyMemory(from: $0) }
        }
    }

    private init(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        storage = sockaddr_storage()
        self.length = length
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: min(Int(length), $0.count)))
        }
    }

    /// The address that a socket is bound to.
    init?(boundTo descriptor: Int32) { self.init { getsockname(descriptor, $0, $1) } }

    /// The address of a socket's other end.
    init?(peerOf descriptor: Int32) { self.init { getpeername(descriptor, $0, $1) } }

    private init?(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &length) }
        }
        guard result == 0 else { return nil }
        self.storage = storage
        self.length = length
    }

    /// The same for all ports of an address.
    var hostNumber: UInt64 {
        withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET: UInt64(bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            case AF_INET6:
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                    ^ bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            default: 0
            }
        }
    }

    package var family: Int32 { Int32(storage.ss_family) }

    /// 0 for a unix socket.
    package var port: Int {
        var copy = storage
        return withUnsafeBytes(of: &copy) { bytes in
            guard family == AF_INET || family == AF_INET6 else { return 0 }
            return Int(bytes[2]) << 8 | Int(bytes[3])
        }
    }

    /// As the configuration would say it; nil for a family that it has no words for.
    var listenAddress: ListenAddress? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        if family == AF_UNIX {
            let path = withUnsafeBytes(of: storage) { bytes in
                Array(bytes[MemoryLayout<sa_family_t>.size...].prefix { $0 != 0 })
            }
            return path.isEmpty ? nil : .unix(path: String(decoding: path, as: UTF8.self))
        }
        let result = withPointer {
            getnameinfo($0, $1, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return nil }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return .tcp(host: host, port: port)
    }

    func isSame(as address: ListenAddress) -> Bool {
        if case .tcp("localhost", let port) = address {
            return listenAddress == .tcp(host: "127.0.0.1", port: port)
        }
        return listenAddress == address
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// May block for as long as the system's resolver does. At most `addressesMax`.
    static func lookUp(_ host: String, _ port: Int) -> [SocketAddress]? {
        var hints = addrinfo()
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        // Loopback names have addresses also where no interface but loopback is up.
        return resolve(host, port, hints) ?? resolve(host, port, addrinfo())
    }

    static let addressesMax = 16

    private static func resolve(_ host: String, _ port: Int, _ hints: addrinfo) -> [SocketAddress]? {
        var hints = hints
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next, addresses.count < addressesMax {
            if let address = entry.pointee.ai_addr {
                addresses.append(SocketAddress(address, entry.pointee.ai_addrlen))
            }
            next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? nil : addresses
    }
}
