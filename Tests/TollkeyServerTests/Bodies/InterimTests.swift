import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Answers before the answer (RFC 9110 §15.2), and expectations (§10.1.1).
    struct InterimTests {
        let upstream: RawUpstream
        let proxy: Proxy
        private let expecting = "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"

        init() throws {
            upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.allow = [try CallPattern("* /"), try CallPattern("GET /**")]
            provider.body.max = 1_000
            proxy = try Proxy(provider)
        }

        @Test func `103 is relayed and 100 is dropped`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok())
            let hints = try client.answer()
            #expect(hints.status == 103 && hints.values(of: "Link") == ["</a>"])
            #expect(hints.values(of: "Transfer-Encoding") == [])
            #expect(try client.answer().text == "hello")
        }

        @Test func `a sandbox's early hints arrive before its answer`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect(sending: get("/sandbox/hints"))
                #expect(try client.answer().status == 103)
                #expect(try client.answer().status == 200)
            }
        }

        @Test func `a switch of protocols that nobody asked for is a broken answer`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/", "Connection: upgrade\r\nUpgrade: websocket\r\n"))
            let provider = try upstream.accept()
            #expect(try provider.request().value(of: "Upgrade") == nil)
            try provider.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
            #expect(try provider.hasEnded())
        }

        @Test func `interim answers without end are a broken answer`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 17))
            try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
        }

        @Test func `an expectation is answered once the call is on its way, and the content follows`() throws
        {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: expecting + "Content-Length: 4\r\n\r\n")
            #expect(try client.answer().status == 100)
            try client.send("ping")
            let provider = try upstream.accept()
            let seen = try provider.request()
            #expect(seen.text == "ping" && seen.value(of: "Expect") == nil)
            try provider.send(ok("pong"))
            #expect(try client.answer().text == "pong")
        }

        @Test(arguments: [
            ("POST /acme/other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n", 403, "not-allowed"),
            ("POST /acme/ HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 4\r\n", 403, "forbidden-host"),
            ("POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n", 413, "body-too-large"),
            ("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n", 404, "no-route"),
        ])
        func `a refused call that expects 100 gets its refusal and no 100`(
            _ head: String, _ status: Int, _ kind: String
        ) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: head + "Expect: 100-continue\r\n\r\n")
            let answer = try client.answer()
            try expectProblem(answer, status, kind)
            #expect(answer.closes)
            #expect(try client.hasEnded())
            #expect(!upstream.hasCaller)
        }

        @Test func `a call whose provider cannot be reached gets no 100`() throws {
            defer { proxy.stop() }
            let refusing = try RawUpstream(listens: false)
            let proxy = try Proxy(.plain(refusing.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: expecting + "Content-Length: 4\r\n\r\n")
            try expectProblem(client.answer(), 502, "upstream-unreachable", mayHaveBeenProcessed: false)
        }
    }
}
