import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Connections to a provider that carry one call after the other.
    struct ReuseTests {
        private let keyed = "Idempotency-Key: 7f3a\r\n"

        @Test func `calls of different clients share one connection`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let clients = try (0..<3).map { _ in try proxy.connect() }
                for client in clients + clients {
                    try client.send(get("/sandbox/echo"))
                    #expect(try client.answer().status == 200)
                }
                #expect(stage.requests.count == 6)
                #expect(Set(stage.requests.map(\.connection)).count == 1)
            }
        }

        @Test func `a client that closes its connection does not close the provider's`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                for _ in 0..<3 {
                    let answer = try proxy.answer(to: get("/sandbox/echo", "Connection: close\r\n"))
                    #expect(answer.status == 200 && answer.closes)
                }
                #expect(Set(stage.requests.map(\.connection)).count == 1)
            }
        }

        @Test func `a connection that the provider announced to close carries nothing more`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            for answer in [ok("1", "Connection: close\r\n"), "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1"]
            {
                let client = try proxy.connect(sending: get("/"))
                let provider = try upstream.accept()
                _ = try provider.request()
                try provider.send(answer)
                let answer = try client.answer()
                #expect(answer.text == "1" && !answer.closes)
                #expect(try provider.hasEnded())
            }
        }

        /// A proxy with one connection that has carried a call and waits for the second, which it has sent.
        private func reused(
            _ second: String,
            _ body: (_ proxy: Proxy, _ upstream: RawUpstream, _ first: RawConnection, _ client: RawConnection)
                throws -> Void
        ) throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/first"))
            let first = try upstream.accept()
            _ = try first.request()
            try first.send(ok())
            #expect(try client.answer().text == "hello")
            try client.send(second)
            try body(proxy, upstream, first, client)
        }

        @Test(
            arguments: [
                get("/second"), post("/second", "pay", "Idempotency-Key: 7f3a\r\n"),
                "PUT /acme/second HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\npay\r\n0\r\n\r\n",
                "DELETE /acme/second HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ], [false, true])
        func `a call that may be repeated is, when its reused connection ends without a word`(
            _ second: String, _ isReset: Bool
        ) throws {
            try reused(second) { proxy, upstream, first, client in
                let lost = try first.request()
                if isReset { first.reset() } else { first.close() }
                let other = try upstream.accept()
                let repeated = try other.request()
                #expect(repeated.startLine == lost.startLine && repeated.fields == lost.fields)
                #expect(repeated.body == lost.body)
                try other.send(ok("second"))
                #expect(try client.answer().text == "second")
            }
        }

        @Test(arguments: [false, true])
        func `a POST without a key is not repeated, and its client is told that it may have been processed`(
            _ isReset: Bool
        ) throws {
            try reused(post("/second", "pay")) { proxy, upstream, first, client in
                #expect(try first.request().text == "pay")
                if isReset { first.reset() } else { first.close() }
                try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
                try proxy.settle()
                #expect(!upstream.hasCaller)
            }
        }

        @Test func `a call is not repeated once a byte of an answer has come`() throws {
            try reused(get("/second")) { proxy, upstream, first, client in
                _ = try first.request()
                try first.send("H")
                first.close()
                try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
                try proxy.settle()
                #expect(!upstream.hasCaller)
            }
        }

        @Test func `a call is not repeated without end`() async throws {
            try await withScripts([[.readHead, .reset]]) { upstream in
                let proxy = try Proxy(.plain(upstream.port))
                defer { proxy.stop() }
                try expectProblem(
                    proxy.answer(to: get("/")), 502, "upstream-broke", mayHaveBeenProcessed: true)
                #expect(upstream.connectionsAccepted <= 3)
            }
        }

        @Test func `content beyond what is held is not sent a second time`() throws {
            let content = String(repeating: "x", count: 200_000)
            try reused(post("/second", content, keyed)) { proxy, upstream, first, client in
                #expect(try first.request().body.count == 200_000)
                first.reset()
                try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
                try proxy.settle()
                #expect(!upstream.hasCaller)
            }
        }

        @Test(arguments: [get("/second"), post("/second", "pay")])
        func `a connection that ended while idle is not used again`(_ second: String) async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect(
                    sending: get("/sandbox/echo", "X-Sandbox-Fault: close-after\r\n"))
                #expect(try client.answer().status == 200)
                try client.send(get("/sandbox/echo"))
                #expect(try client.answer().status == 200)
                #expect(
                    stage.requests.count == 2 && stage.requests[0].connection != stage.requests[1].connection)
            }
        }

        @Test(arguments: [get("/second"), post("/second", "pay")])
        func `bytes that nobody asked for are no answer to the next call`(_ second: String) throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/first"))
            let first = try upstream.accept()
            _ = try first.request()
            try first.send(ok())
            _ = try client.answer()
            try first.send(ok("poison"))
            try proxy.settle()
            try client.send(second)
            let other = try upstream.accept()
            _ = try other.request()
            try other.send(ok("second"))
            #expect(try client.answer().text == "second")
            #expect(try first.hasEnded())
        }

        @Test(arguments: [
            ok() + "x", ok() + ok("poison"), "HTTP/1.1 204 No Content\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ])
        func `a connection that sent more than its answer carries nothing more`(_ answer: String) throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/first"))
            let first = try upstream.accept()
            _ = try first.request()
            try first.send(answer)
            let status = try client.answer().status
            #expect(status == 200 || status == 204)
            try proxy.settle()
            #expect(client.isQuiet)
            try client.send(get("/second"))
            let other = try upstream.accept()
            _ = try other.request()
            try other.send(ok("second"))
            #expect(try client.answer().text == "second")
            #expect(try first.hasEnded())
        }

        @Test func `an idle connection is closed when its time is over`() throws {
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.pool.idleTimeout = .seconds(7)
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let first = try upstream.accept()
            _ = try first.request()
            try first.send(ok())
            _ = try client.answer()
            proxy.advance(by: .seconds(6))
            try proxy.settle()
            #expect(first.isQuiet)
            proxy.advance(by: .seconds(1))
            #expect(try first.hasEnded())
        }

        @Test func `no more connections are kept than 'idle' allows`() throws {
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.pool.idle = 1
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let clients = try (0..<2).map { _ in try proxy.connect(sending: get("/")) }
            let providers = try clients.map { _ in try upstream.accept() }
            for provider in providers { _ = try provider.request() }
            for provider in providers { try provider.send(ok()) }
            for client in clients { #expect(try client.answer().status == 200) }
            #expect(try providers[1].hasEnded())
            #expect(providers[0].isQuiet)
        }

        @Test func `a second connection resumes the first one's TLS session`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect()
                for _ in 0..<3 {
                    try client.send(get("/sandbox/echo", "X-Sandbox-Fault: close-after\r\n"))
                    #expect(try client.answer().status == 200)
                }
                #expect(Set(stage.requests.map(\.connection)).count == 3)
                #expect(stage.requests.map(\.isResumed) == [false, true, true])
            }
        }
    }
}
