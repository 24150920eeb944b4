import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// More operators at a time than there is room for.
    struct AdminListenerTests {
        private let folder: TemporaryFolder
        private let proxy: Proxy
        private var path: String { folder.path + "/admin.sock" }
        private var port: Int { proxy.server.adminPorts.first ?? 0 }
        /// Over each kind of socket.
        private static let connectionsMax = 32

        init() throws {
            let folder = try TemporaryFolder()
            self.folder = folder
            proxy = try Proxy(
                Settings(to: []).administered.with {
                    $0.admin.listeners.append(.unix(path: folder.path + "/admin.sock"))
                })
        }

        private func isLive(_ connection: RawConnection) throws -> Bool {
            try connection.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return try connection.answer().status == 200
        }

        private func expectBusy(
            _ connection: RawConnection, at location: SourceLocation = #_sourceLocation
        ) throws {
            let answer = try connection.answer()
            #expect(answer.status == 503 && answer.closes, sourceLocation: location)
            #expect(answer.value(of: "tollkey-problem") == "overloaded", sourceLocation: location)
            #expect(try connection.hasEnded(), sourceLocation: location)
        }

        @Test func `who comes beyond the bound is told so, and unix sockets have a bound of their own`()
            throws
        {
            defer { proxy.stop() }
            let idle = try (0..<Self.connectionsMax).map { _ in try RawConnection.toPort(port) }
            try expectBusy(try .toPort(port))
            #expect(try isLive(try .toPath(path)))
            // The one that was answered may have its place for another moment.
            let others = try (0..<Self.connectionsMax).map { _ in try RawConnection.toPath(path) }
            try expectBusy(try .toPath(path))
            // A place that is given up is somebody else's.
            idle[0].close()
            others.last?.close()
            others.first?.close()
            #expect(comesTrue { (try? isLive(try .toPort(port))) == true })
            #expect(comesTrue { (try? isLive(try .toPath(path))) == true })
        }

        @Test func `who asks for nothing makes room for others soon`() throws {
            defer { proxy.stop() }
            let begin = ContinuousClock.now
            let idle = try (0..<Self.connectionsMax).map { _ in try RawConnection.toPort(port) }
            try idle[0].send("GET /live HT")
            for connection in idle { #expect(try connection.hasEnded()) }
            #expect(ContinuousClock.now - begin < .seconds(8))
            #expect(comesTrue { (try? isLive(try .toPort(port))) == true })
        }
    }
}
