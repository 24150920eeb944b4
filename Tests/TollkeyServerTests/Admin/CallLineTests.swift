import Glibc
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// One line for each request.
    struct CallLineTests {
        private func proxy(
            _ stage: QuotaStage, _ lines: LogFile, _ categories: CategorySettings...
        ) throws -> Proxy {
            var provider = ProviderSettings.plain(stage.upstream.port)
            provider.categories = categories
            return try Proxy(stage.settings(provider), clock: stage.clock, lines: lines)
        }

        @Test func `a request has a line that says what it was and what came of it`() throws {
            let (stage, lines) = (try QuotaStage(), try LogFile())
            let proxy = try proxy(stage, lines, .limited(9, per: .seconds(60)))
            let answer = try proxy.answer(
                to: "POST /acme/payments/42?card=4242 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "X-Note: told-to-nobody\r\nContent-Length: 6\r\n\r\nsecret")
            #expect(answer.status == 200)
            proxy.stop()
            let line = try #require(try lines.lines().first)
            #expect(line["message"]?.text == "call" && line["level"]?.text == "info")
            #expect(line["provider"]?.text == "acme" && line["category"]?.text == "calls")
            #expect(line["method"]?.text == "POST" && line["path"]?.text == "/payments/42")
            #expect(line["status"]?.number == 200 && line["source"]?.text == "provider")
            #expect(line["attempts"]?.number == 1 && line["generation"]?.number == 1)
            #expect(line["bytes_in"]?.number == 6 && line["bytes_out"]?.number == 5)
            #expect(line["seconds"]?.number == 0 && line["upstream_seconds"]?.number == 0)
            #expect(line["request_id"]?.text?.isEmpty == false)
            #expect(line["time"]?.text.flatMap(Dates.milliseconds(rfc3339:)) == stage.clock.clock.wall())
            let text = try lines.text()
            for hidden in ["4242", "told-to-nobody", "secret", "Bearer", "s3cr3t"] {
                #expect(!text.contains(hidden))
            }
        }

        @Test func `a refused request has nothing of the one before it on its connection`() throws {
            let (stage, lines) = (try QuotaStage(), try LogFile())
            let proxy = try proxy(stage, lines)
            let client = try proxy.connect()
            for (request, status) in [
                (post("/payments/42", "secret"), 200),
                ("GET /elsewhere/7 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                (post("/payments/43", "secret"), 200), ("nonsense\r\n\r\n", 400),
            ] {
                try client.send(request)
                #expect(try client.answer().status == status)
            }
            proxy.stop()
            let written = try lines.lines()
            #expect(written.map { $0["status"]?.number } == [200, 404, 200, 400])
            #expect(
                written.map { $0["path"]?.text } == ["/payments/42", "/elsewhere/7", "/payments/43", nil])
            #expect(written.map { $0["bytes_in"]?.number ?? 0 } == [6, 0, 6, 0])
            #expect(written.map { $0["bytes_out"]?.number ?? 0 } == [5, 0, 5, 0])
        }

        @Test func `an answer made here has the id that its line has`() throws {
            let (stage, lines) = (try QuotaStage(), try LogFile())
            let proxy = try proxy(stage, lines)
            let answer = try proxy.answer(
                to: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            proxy.stop()
            let line = try #require(try lines.lines().first)
            #expect(line["status"]?.number == 404 && line["source"]?.text == "tollkey")
            #expect(line["kind"]?.text == "no-route")
            #expect(try JSONValue(answer.body)["request_id"]?.text == line["request_id"]?.text)
        }

        @Test func `a client that went away has a line too`() throws {
            let (stage, lines) = (try QuotaStage { _, _ in nil }, try LogFile())
            let proxy = try proxy(stage, lines, .waiting(1, per: .seconds(10)))
            _ = try proxy.connect(sending: get("/"))
            try proxy.settle()
            let client = try proxy.connect(sending: get("/"))
            try proxy.settle()
            client.close()
            try proxy.settle()
            proxy.stop()
            let gone = try lines.lines().filter { $0["status"]?.number == 499 }
            #expect(gone.contains { $0["source"]?.text == "client" })
        }

        @Test func `a provider that cannot be reached is a warning with its reason`() throws {
            let (stage, lines) = (try QuotaStage(), try LogFile())
            var provider = ProviderSettings.plain(stage.upstream.port)
            provider.addresses = [UpstreamAddress(host: "127.0.0.1", port: 1)]
            let proxy = try Proxy(stage.settings(provider), clock: stage.clock, lines: lines)
            #expect(try proxy.answer(to: get("/", "Connection: close\r\n")).status == 502)
            proxy.stop()
            let line = try #require(try lines.lines().first)
            #expect(line["level"]?.text == "warning" && line["kind"]?.text == "upstream-unreachable")
        }

        @Test func `of what went well a share has lines, of what failed all`() throws {
            let stage = try QuotaStage { number, _ in
                number % 4 == 3 ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" : ok()
            }
            let lines = try LogFile()
            lines.control.settings = LogSettings().with { $0.sample = 0.25 }
            let proxy = try proxy(stage, lines)
            _ = try stage.passed(32, proxy)
            proxy.stop()
            let statuses = try lines.lines().compactMap { $0["status"]?.number }
            #expect(statuses.filter { $0 == 500 }.count == 8)
            #expect(statuses.filter { $0 == 200 }.count == 6)
        }

        @Test func `a provider's own 429 has a line, whatever the share`() throws {
            let stage = try QuotaStage { number, _ in
                number == 1 ? "HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n" : ok()
            }
            let lines = try LogFile()
            lines.control.settings = LogSettings().with { $0.sample = 0 }
            let proxy = try proxy(stage, lines)
            #expect(try stage.passed(3, proxy) == 2)
            proxy.stop()
            #expect(try lines.lines().map { $0["status"]?.number } == [429])
        }

        @Test func `without access lines only failures have some, and no more than a few a second`() throws {
            let stage = try QuotaStage { _, _ in "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" }
            let lines = try LogFile()
            lines.control.settings = LogSettings().with { $0.access = false }
            let proxy = try proxy(stage, lines)
            _ = try stage.passed(30, proxy)
            // The last answer is out before its line is written.
            try proxy.settle()
            stage.clock.advance(by: .seconds(1))
            proxy.server.wake()
            _ = try stage.passed(1, proxy)
            proxy.stop()
            let written = try lines.lines()
            #expect(written.count == 11)
            #expect(written.last?["suppressed"]?.number == 20)
        }

        @Test func `lines that nobody takes are dropped and counted`() throws {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            defer { for end in ends { close(end) } }
            let sink = try LogSink(ends[1])
            let line = String(repeating: "x", count: 1_023) + "\n"
            for _ in 0..<(2 * LogSink.bytesMax / 1_024) { sink.append(line) }
            #expect(sink.dropped > 0)
            #expect(sink.dropped <= UInt64(2 * LogSink.bytesMax / 1_024))
        }
    }
}

extension LogSettings {
    fileprivate func with(_ change: (inout LogSettings) -> Void) -> LogSettings {
        var settings = self
        change(&settings)
        return settings
    }
}
