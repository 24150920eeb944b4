import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// The end of a proxy: what runs may finish, and nobody new comes in.
    struct DrainTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(.plain(upstream.port))
        }

        /// Drains on a thread of its own, and returns once the event loop has begun to.
        private func beginDraining() throws -> Aside<Void> {
            let idle = try proxy.connect()
            let draining = try Aside { [proxy] in proxy.server.drain(timeout: .seconds(10)) }
            // An answer that is its connection's last tells that it has begun.
            repeat {
                try idle.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            } while try !idle.answer().closes
            #expect(try idle.rest() == [])
            return draining
        }

        /// Has its answer and stays, as does the connection to the provider.
        private func servedClient() throws -> (client: RawConnection, connection: RawConnection) {
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(ok())
            _ = try client.answer()
            return (client, connection)
        }

        @Test func `a running request finishes, and its connection is closed behind it`() throws {
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let draining = try beginDraining()
            try connection.send(ok())
            let answer = try client.answer()
            #expect(answer.text == "hello" && answer.closes)
            #expect(try client.hasEnded())
            try draining.value()
            #expect(try connection.hasEnded())
        }

        @Test func `a running upload finishes`() throws {
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
            let connection = try upstream.accept()
            _ = try connection.head()
            let draining = try beginDraining()
            try client.send("b")
            #expect(try connection.exactly(2) == Array("ab".utf8))
            try connection.send(ok())
            #expect(try client.answer().text == "hello")
            try draining.value()
        }

        @Test func `while a request runs, new connections are refused`() throws {
            let port = proxy.port
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let draining = try beginDraining()
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPort(port) }
            try connection.send(ok())
            #expect(try client.answer().text == "hello")
            try draining.value()
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPort(port) }
        }

        @Test func `idle connections on both sides are closed after a second`() throws {
            let (client, connection) = try servedClient()
            let draining = try beginDraining()
            proxy.advance(by: .seconds(1))
            #expect(try client.rest() == [])
            try draining.value()
            #expect(try connection.hasEnded())
        }

        @Test func `an idle client's next request is answered, and is its last`() throws {
            let (client, connection) = try servedClient()
            let draining = try beginDraining()
            try client.send(get("/late"))
            #expect(try connection.request().startLine == "GET /late HTTP/1.1")
            try connection.send(ok("late"))
            let answer = try client.answer()
            #expect(answer.text == "late" && answer.closes)
            try draining.value()
        }

        @Test func `a request that has just arrived is answered`() throws {
            let (client, connection) = try servedClient()
            // Before the letter to drain: it is in the socket when the loop looks.
            try client.send(get("/last"))
            let draining = try Aside { [proxy] in proxy.server.drain(timeout: .seconds(10)) }
            #expect(try connection.request().startLine == "GET /last HTTP/1.1")
            try connection.send(ok("last"))
            #expect(try client.answer().text == "last")
            try draining.value()
        }

        @Test func `when time is up, who waits is told so`() throws {
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            proxy.server.drain(timeout: .zero)
            let answer = try client.answer()
            try expectProblem(answer, 503, "draining", mayHaveBeenProcessed: true)
            #expect(answer.closes)
            #expect(try client.hasEnded())
            #expect(try connection.hasEnded())
        }

        @Test func `when time is up, a running answer is cut`() throws {
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            _ = try client.through("x\r\n")
            proxy.server.drain(timeout: .zero)
            #expect(try client.rest() == [])
        }

        @Test func `a download that runs when draining begins arrives whole at a slow client`() throws {
            let client = try proxy.connect(receiveBytes: 16 << 10)
            try client.send(get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let total = 8 << 20
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let download = try Aside { try connection.send([UInt8](repeating: 1, count: total)) }
            _ = try client.head()
            let draining = try beginDraining()
            var count = 0
            while count < total, case let piece = try client.some(upTo: 4 << 10), !piece.isEmpty {
                count += piece.count
            }
            #expect(count == total)
            try download.value()
            proxy.advance(by: .seconds(1))
            #expect(try client.rest() == [])
            try draining.value()
        }

        /// Sizes from less than what a unix socket holds to several times that, so that with some of them the proxy
        /// has read the answer's end and cannot hand over all of it.
        @Test(arguments: Array(stride(from: 160_000, through: 640_000, by: 30_000)), [false, true])
        func `an answer whose end the client has not taken yet is not lost`(
            _ total: Int, _ isComplete: Bool
        ) throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/proxy.sock"
            try proxy.server.reload(
                Settings(to: [.plain(upstream.port)]).with { $0.listeners.append(.unix(path: path)) })
            try proxy.settle()
            let client = try RawConnection.toPath(path)
            try client.send(get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let late = isComplete ? 0 : 1_000
            try connection.send(
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n".utf8)
                    + [UInt8](repeating: 1, count: total - late))
            try proxy.settle()
            let draining = try beginDraining()
            try connection.send([UInt8](repeating: 1, count: late))
            _ = try client.head()
            var count = 0
            while count < total, case let piece = try client.some(upTo: 64 << 10), !piece.isEmpty {
                count += piece.count
            }
            #expect(count == total)
            // The idle connection's deadline lies a second behind the answer's end, whenever that was written.
            for _ in 0..<2 { proxy.advance(by: .seconds(1)) }
            #expect(try client.rest() == [])
            try draining.value()
        }

        @Test func `a proxy that has drained goes over to nothing else`() throws {
            proxy.stop()
            #expect(throws: StartFailure.self) { try proxy.server.reload(Settings(to: [])) }
        }
    }
}
