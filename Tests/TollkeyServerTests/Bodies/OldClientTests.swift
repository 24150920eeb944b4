import Testing
import TollkeyServer

extension EndToEnd {
    /// Clients that speak HTTP/1.0.
    struct OldClientTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(.plain(upstream.port))
        }

        @Test func `an HTTP/1.0 client gets its answer and the connection's end`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.0\r\n\r\n")
            let provider = try upstream.accept()
            #expect(try provider.request().startLine == "GET / HTTP/1.1")
            try provider.send(ok())
            let answer = try client.answer()
            #expect(answer.text == "hello" && answer.closes)
            #expect(try client.hasEnded())
        }

        @Test func `an HTTP/1.0 client that asks for it keeps its connection`() throws {
            defer { proxy.stop() }
            let request = "GET /acme/ HTTP/1.0\r\nHost: localhost\r\nConnection: Keep-Alive\r\n\r\n"
            let client = try proxy.connect(sending: request)
            let provider = try upstream.accept()
            for _ in 1...3 {
                _ = try provider.request()
                try provider.send(ok())
                let answer = try client.answer()
                #expect(answer.values(of: "Connection") == ["keep-alive"] && answer.text == "hello")
                try client.send(request)
            }
        }

        @Test func `an HTTP/1.0 client gets chunked content without chunks`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
            let answer = try client.answer()
            #expect(answer.values(of: "Transfer-Encoding") == [] && answer.closes)
            #expect(answer.endsWithConnection && answer.text == "hello")
        }

        @Test func `an HTTP/1.0 client gets no interim answer and sends no chunks`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.0\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok())
            #expect(try client.answer().status == 200)
            let refused = try proxy.answer(
                to: "POST /acme/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            try expectProblem(refused, 400, "bad-request")
        }

        /// The connection's end is all that such a client has to know a whole answer by: only a reset tells it.
        @Test func `an HTTP/1.0 client does not take a part of an answer for the whole`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.0\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n")
            _ = try client.head()
            #expect(try client.exactly(3) == Array("hel".utf8))
            provider.close()
            #expect(throws: RawConnection.Failure.reset) { try client.rest() }
        }
    }
}
