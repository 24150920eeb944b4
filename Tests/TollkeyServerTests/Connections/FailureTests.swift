import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What a client is told when its provider fails.
    struct FailureTests {
        @Test(
            arguments: ["garbage", "both-lengths", "reset", "close-before-head"],
            [
                post("/sandbox/echo", "pay"), "PATCH /acme/sandbox/echo HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ])
        func `a provider that breaks off or talks nonsense may have acted`(
            _ fault: String, _ request: String
        ) async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect(
                    sending: request.replacing(
                        "Host: localhost\r\n", with: "Host: localhost\r\nX-Sandbox-Fault: \(fault)\r\n"))
                let answer = try client.answer()
                let problem = try expectProblem(answer, 502, "upstream-broke", mayHaveBeenProcessed: true)
                #expect(problem.provider == "acme" && answer.value(of: "Cache-Control") == "no-store")
                #expect(stage.sandbox.record.count(of: .piaxis) == 1)
                // The client's connection is none the worse for it.
                try client.send(get("/sandbox/echo"))
                #expect(try client.answer().status == 200)
            }
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 64 << 10))\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\(String(repeating: "X: y\r\n", count: 257))\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 099 No\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n X: folded\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        ])
        func `a head that is too large, or could be read in two ways, goes no further`(_ head: String) throws
        {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(head)
            try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
            #expect(try connection.hasEnded())
        }

        @Test func `a head of the largest size passes`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: "
            let value = String(repeating: "x", count: 64 << 10 - start.utf8.count - 4)
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(start + value + "\r\n\r\n")
            #expect(try client.answer().value(of: "X") == value)
        }

        @Test(arguments: [
            "x\r\nhello\r\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\nfffffffffffffffff\r\n",
        ])
        func `an answer whose chunks are broken is cut`(_ chunks: String) throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try client.head()
            try connection.send(chunks)
            let tail = String(decoding: try client.rest(), as: UTF8.self)
            #expect(!tail.hasSuffix("0\r\n\r\n"))
            #expect(try connection.hasEnded())
        }

        @Test func `only the proxy's own answers carry Tollkey-Problem`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(
                "HTTP/1.1 503 Busy\r\nTollkey-Problem: draining\r\nTOLLKEY_PROBLEM: draining\r\n"
                    + "Retry-After: 7\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}"
            )
            let answer = try client.answer()
            #expect(answer.startLine == "HTTP/1.1 503 Busy" && answer.text == "{}")
            #expect(answer.values(of: "Retry-After") == ["7"])
            #expect(!answer.fields.contains { $0.name.lowercased().contains("problem") })
        }

        @Test(arguments: ["unauthorized", "rate-limited=9", "server-error"])
        func `a provider's own refusals pass untouched`(_ fault: String) async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let answer = try proxy.answer(to: get("/api/payments/1", "X-Sandbox-Fault: \(fault)\r\n"))
                #expect([401, 429, 500].contains(answer.status))
                #expect(answer.text.hasPrefix(#"{"error":{"code":"#))
                #expect(answer.value(of: "Tollkey-Problem") == nil)
                if answer.status == 429 { #expect(answer.values(of: "Retry-After") == ["9"]) }
            }
        }

        @Test func `an answer to a failed HEAD has no content`() throws {
            let refusing = try RawUpstream(listens: false)
            let proxy = try Proxy(.plain(refusing.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "HEAD /acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try client.answer(toHead: true)
            #expect(answer.status == 502 && answer.values(of: "Tollkey-Problem") == ["upstream-unreachable"])
            try proxy.settle()
            #expect(client.isQuiet)
            try client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.answer().status == 404)
        }

        @Test func `every local answer has a request id of its own`() throws {
            let refusing = try RawUpstream(listens: false)
            let proxy = try Proxy(.plain(refusing.port))
            defer { proxy.stop() }
            let ids = try (0..<5).map { _ in
                try expectProblem(
                    proxy.answer(to: get("/")), 502, "upstream-unreachable", mayHaveBeenProcessed: false
                ).requestID
            }
            #expect(Set(ids).count == 5)
        }
    }
}
