import Glibc

/// Stands between a client and a TLS server and forwards record by record: as a proxy that opens tunnels, or as a
/// network that loses the server's farewell.
final class RecordRelay: Sendable {
    private let upstream: RawUpstream
    private let serverPort: Int
    private let dropsFarewell: Bool

    var port: Int { upstream.port }

    init(to serverPort: Int, dropsFarewell: Bool = false) throws {
        upstream = try RawUpstream()
        self.serverPort = serverPort
        self.dropsFarewell = dropsFarewell
    }

    /// Serves one connection until both sides have ended it. With `opensTunnel` behind a CONNECT, which is returned.
    func serve(opensTunnel: Bool = false) throws -> Message? {
        let client = try upstream.accept()
        let connect = opensTunnel ? try client.head() : nil
        if opensTunnel {
            try client.send("HTTP/1.1 200 Connection established\r\nX-Proxy: \(canary)\r\n\r\n")
        }
        let server = try RawConnection.toPort(serverPort)
        let toClient = RawConnection(descriptor: fcntl(client.descriptor, F_DUPFD_CLOEXEC, 3))
        let toServer = RawConnection(descriptor: fcntl(server.descriptor, F_DUPFD_CLOEXEC, 3))
        let up = try Aside {
            // Who has what it wants may hang up before it has read all: that is an end like another.
            while let piece = try? client.some(upTo: 64 << 10), !piece.isEmpty {
                try? toServer.send(Array(piece))
            }
            toServer.finish()
        }
        while let record = try Self.record(from: server) {
            if dropsFarewell, Self.isFarewell(record) { continue }
            try? toClient.send(record)
        }
        toClient.finish()
        _ = try up.value()
        return connect
    }

    /// Nil at the connection's end.
    private static func record(from server: RawConnection) throws -> [UInt8]? {
        do {
            let head = try server.exactly(5)
            return head + (try server.exactly(Int(head[3]) << 8 | Int(head[4])))
        } catch RawConnection.Failure.cut { return nil }
    }

    /// An enciphered alert of TLS 1.3: two bytes, their type, and 16 of the cipher's. No other record is so short.
    private static func isFarewell(_ record: [UInt8]) -> Bool { record[0] == 23 && record.count == 5 + 19 }
}
