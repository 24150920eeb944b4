import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// The server's addresses: a name is looked up for each connection anew, as after a failover by DNS.
final class RedisNames: Sendable {
    private enum LookUp {
        case none
        case underWay
        case over([SocketAddress]?)
    }

    private let host: String
    private let port: Int
    private let resolver: Resolver
    private let lookUp = Mutex(LookUp.none)
    private let answered: Int32

    init(_ host: String, _ port: Int) throws(SystemError) {
        self.host = host
        self.port = port
        resolver = try Resolver()
        answered = try SystemError.check("eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_NONBLOCK))
    }

    deinit {
        resolver.close()
        Glibc.close(answered)
    }

    func close() { resolver.close() }

    func addresses(
        until deadline: MonotonicTime, _ interrupt: Interrupt
    ) throws(RedisFailure) -> [SocketAddress] {
        if let literal = SocketAddress(host: host, port: port) { return [literal] }
        ask()
        switch interrupt.wait(for: POLLIN, on: answered, until: deadline) {
        case .struck: throw .closed
        case .late: throw RedisFailure(.timedOut, "the name of Redis' host \(host) was not resolved in time")
        case .ready: break
        }
        var count: UInt64 = 0
        read(answered, &count, 8)
        let outcome = lookUp.withLock { lookUp in
            defer { lookUp = .none }
            return lookUp
        }
        guard case .over(let found?) = outcome else {
            throw RedisFailure(.unreachable, "the name of Redis' host \(host) has no address")
        }
        return found
    }

    /// Asks, unless that has been done: a resolver that hangs is not asked again each time, and what it says too late
    /// for one connection serves the next.
    private func ask() {
        let isFirst = lookUp.withLock { lookUp in
            guard case .none = lookUp else { return false }
            lookUp = .underWay
            return true
        }
        guard isFirst else { return }
        resolver.lookUp(host, port) { [self] found in
            lookUp.withLock { $0 = .over(found) }
            var one: UInt64 = 1
            write(answered, &one, 8)
        }
    }
}
