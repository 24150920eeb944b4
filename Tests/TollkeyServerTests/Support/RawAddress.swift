import Glibc

/// A socket address in the system's form.
struct RawAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// `host` is a literal address.
    init(host: String, port: Int) throws {
        var bytes = in_addr()
        let portBytes = in_port_t(UInt16(port).bigEndian)
        if inet_pton(AF_INET, host, &bytes) == 1 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = portBytes
            address.sin_addr = bytes
            length = Self.store(&address, in: &storage)
            return
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = portBytes
        guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else {
            throw RawConnection.Failure.system("inet_pton", 0)
        }
        length = Self.store(&address, in: &storage)
    }

    init(path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        length = Self.store(&address, in: &storage)
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    private static func store<Address>(_ address: inout Address, in storage: inout sockaddr_storage)
        -> socklen_t
    {
        withUnsafeBytes(of: &address) { from in
            withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: from) }
        }
        return socklen_t(MemoryLayout<Address>.size)
    }
}
