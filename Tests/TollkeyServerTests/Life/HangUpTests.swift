import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Clients that go away in the middle of something.
    struct HangUpTests {
        enum Way: CaseIterable { case reset, finish }

        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(.plain(upstream.port))
        }

        private func hangUp(_ client: RawConnection, _ way: Way) {
            switch way {
            case .reset: client.reset()
            case .finish: client.close()
            }
        }

        /// A call like any other, over a connection of its own on both sides or one that was left.
        private func expectService(_ connection: RawConnection? = nil) throws {
            let client = try proxy.connect(sending: get("/after"))
            let connection = try connection ?? upstream.accept()
            #expect(try connection.request().startLine == "GET /after HTTP/1.1")
            try connection.send(ok())
            #expect(try client.answer().text == "hello")
        }

        @Test(arguments: Way.allCases)
        func `in the middle of the head, nothing reaches the provider`(_ way: Way) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.1\r\nHo")
            try proxy.settle()
            hangUp(client, way)
            try proxy.settle()
            #expect(!upstream.hasCaller)
            try expectService()
        }

        @Test(arguments: Way.allCases, [false, true])
        func `in the middle of the upload, the provider sees no end of it`(_ way: Way, _ isChunked: Bool)
            throws
        {
            defer { proxy.stop() }
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 100"
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\n\(framing)\r\n\r\n"
                    + (isChunked ? "5\r\nhello\r\n" : "hello"))
            let connection = try upstream.accept()
            _ = try connection.head()
            _ = try connection.through("hello")
            hangUp(client, way)
            if isChunked { #expect(try connection.exactly(2) == [13, 10]) }
            #expect(try connection.hasEnded())
            try expectService()
        }

        @Test func `a reset while the answer is waited for closes the provider's connection`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            client.reset()
            #expect(try connection.hasEnded())
            try expectService()
        }

        @Test func `a client that has finished sending still gets its answer`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            client.finish()
            let connection = try upstream.accept()
            _ = try connection.request()
            try proxy.settle()
            try connection.send(ok())
            #expect(try client.answer().text == "hello")
            #expect(try client.hasEnded())
            try expectService(connection)
        }

        @Test
        func
            `a client that closes while the answer is waited for leaves a connection that is good or closed`()
            throws
        {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            client.close()
            try proxy.settle()
            try connection.send(ok())
            try expectService(connection)
        }

        @Test(arguments: Way.allCases)
        func `in the middle of the download, the provider's connection is closed`(_ way: Way) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let total = 64 << 20
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let download = try Aside { () -> Bool in
                do { try connection.send([UInt8](repeating: 1, count: total)) } catch { return false }
                return true
            }
            _ = try client.head()
            _ = try client.exactly(100_000)
            hangUp(client, way)
            #expect(try download.value() == false)
            try expectService()
        }

        @Test(arguments: Way.allCases)
        func `while waiting for a connection, the place is given up`(_ way: Way) throws {
            defer { proxy.stop() }
            var provider = ProviderSettings.plain(upstream.port)
            provider.pool.connections = 1
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let first = try proxy.connect(sending: get("/1"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let second = try proxy.connect(
                sending: "POST /acme/2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
            try proxy.settle()
            hangUp(second, way)
            try proxy.settle()
            try connection.send(ok())
            #expect(try first.answer().status == 200)
            try proxy.settle()
            #expect(connection.isQuiet)
        }
    }
}
