import Glibc
import TollkeyCore

/// The sockets that the proxy listens on.
extension Server {
    /// Sockets for `addresses`, those in `keeping` as they are; on failure what was opened is closed again.
    func open(
        _ addresses: [ListenAddress], keeping: [ListenAddress: ListeningSocket]
    ) throws(StartFailure) -> [ListenAddress: ListeningSocket] {
        var sockets = keeping
        for address in addresses where sockets[address] == nil {
            do throws(StartFailure) {
                sockets[address] = try ListeningSocket(address)
            } catch {
                for (address, socket) in sockets where keeping[address] == nil { socket.close(address) }
                throw error
            }
        }
        return sockets
    }

    func adopt(_ inherited: [Int32], _ addresses: [ListenAddress]) -> [ListenAddress: ListeningSocket] {
        var sockets: [ListenAddress: ListeningSocket] = [:]
        for descriptor in inherited {
            guard let bound = SocketAddress(boundTo: descriptor) else { continue }
            let address = addresses.first { bound.isSame(as: $0) } ?? bound.listenAddress
            guard let address else { continue }
            sockets[address] = ListeningSocket(inherited: descriptor)
        }
        return sockets
    }
}
