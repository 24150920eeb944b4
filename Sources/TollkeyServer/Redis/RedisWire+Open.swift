import Glibc
import TollkeyCore

extension RedisWire {
    /// TCP to the first of `addresses` that takes a connection.
    static func open(
        _ addresses: [SocketAddress], peer: String, until deadline: MonotonicTime, _ interrupt: Interrupt
    ) throws(RedisFailure) -> RedisWire {
        var last = RedisFailure(.unreachable, "Redis at \(peer) has no address")
        for (index, address) in addresses.enumerated() {
            // Each address gets its share of the time that is left, so that a dead one does not use up all of it.
            let now = MonotonicTime.system().nanoseconds
            let share = max(0, deadline.nanoseconds - now) / Int64(addresses.count - index)
            let end = MonotonicTime(nanoseconds: now + share)
            do throws(RedisFailure) {
                return RedisWire(try connect(address, peer, until: end, interrupt), peer: peer, interrupt)
            } catch {
                last = error
                if error.kind == .closed { break }
            }
        }
        throw last
    }

    private static func connect(
        _ address: SocketAddress, _ peer: String, until deadline: MonotonicTime, _ interrupt: Interrupt
    ) throws(RedisFailure) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { throw refused(peer, errno) }
        let failure: RedisFailure
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        if result == 0 || errno == EINPROGRESS {
            switch interrupt.wait(for: POLLOUT, on: descriptor, until: deadline) {
            case .ready:
                let code = Socket.error(descriptor)
                if code == 0 {
                    Socket.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
                    return descriptor
                }
                failure = refused(peer, code)
            case .late: failure = RedisFailure(.timedOut, "Redis at \(peer) took no connection in time")
            case .struck: failure = .closed
            }
        } else {
            failure = refused(peer, errno)
        }
        Glibc.close(descriptor)
        throw failure
    }

    private static func refused(_ peer: String, _ code: Int32) -> RedisFailure {
        RedisFailure(.unreachable, "Redis at \(peer) does not accept a connection: \(SystemError.text(code))")
    }
}
