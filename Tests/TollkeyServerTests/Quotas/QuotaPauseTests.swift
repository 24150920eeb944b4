import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What the provider says about its limit is believed.
    struct QuotaPauseTests {
        private static func limited(_ fields: String) -> String {
            "HTTP/1.1 429 Too Many Requests\r\n\(fields)Content-Length: 4\r\n\r\nslow"
        }

        /// The first call gets `first`, the others get 200.
        private func stage(_ first: String) throws -> QuotaStage {
            try QuotaStage { number, _ in number == 0 ? first : ok() }
        }

        private func expectPaused(
            _ proxy: Proxy, _ seconds: Int, at location: SourceLocation = #_sourceLocation
        ) throws {
            let answer = try proxy.answer(to: get("/"))
            let problem = try expectProblem(
                answer, 429, "quota-paused", mayHaveBeenProcessed: false, at: location)
            #expect(problem.category == "calls", sourceLocation: location)
            #expect(answer.values(of: "Retry-After") == ["\(seconds)"], sourceLocation: location)
        }

        @Test func `a 429 goes to its client untouched, and pauses everybody else`() throws {
            let stage = try stage(Self.limited("Retry-After: 30\r\nX-Provider: 1\r\n"))
            let proxy = try stage.proxy(.limited(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            let answer = try proxy.answer(to: get("/"))
            #expect(answer.status == 429 && answer.text == "slow" && answer.values(of: "X-Provider") == ["1"])
            #expect(answer.values(of: "Tollkey-Problem") == [] && answer.values(of: "Retry-After") == ["30"])
            try expectPaused(proxy, 30)
            try proxy.passCounted(.seconds(29))
            try expectPaused(proxy, 1)
            #expect(stage.upstream.count == 1)
            try proxy.passCounted(.seconds(1))
            #expect(try stage.passed(3, proxy) == 3)
        }

        @Test func `a pause may be said as a date`() throws {
            let stage = try stage(
                Self.limited(
                    "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\nRetry-After: Fri, 15 Jan 2027 08:01:30 GMT\r\n"))
            let proxy = try stage.proxy(.limited(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try proxy.answer(to: get("/")).status == 429)
            try expectPaused(proxy, 90)
        }

        @Test func `a pause is no longer than retry_after_max`() throws {
            let stage = try stage(Self.limited("Retry-After: 86400\r\n"))
            let proxy = try stage.proxy(
                .limited(1_000, per: .seconds(3_600)) { $0.retryAfterMax = .seconds(60) })
            defer { proxy.stop() }
            #expect(try proxy.answer(to: get("/")).status == 429)
            try expectPaused(proxy, 60)
        }

        @Test func `a pause survives a restart`() throws {
            let stage = try stage(Self.limited("Retry-After: 30\r\n"))
            let category = try CategorySettings.limited(1_000, per: .seconds(3_600))
            let first = try stage.proxy(category)
            #expect(try first.answer(to: get("/")).status == 429)
            first.stop()
            stage.clock.advance(by: .seconds(10))
            let second = try stage.proxy(category)
            defer { second.stop() }
            try expectPaused(second, 20)
            try second.passCounted(.seconds(20))
            #expect(try stage.passed(1, second) == 1)
        }

        @Test func `a category without a limit is paused too`() throws {
            let stage = try stage(Self.limited("Retry-After: 30\r\n"))
            let proxy = try stage.proxy(.limited(1, per: .seconds(1)) { $0.limits = [] })
            defer { proxy.stop() }
            #expect(try proxy.answer(to: get("/")).status == 429)
            try expectPaused(proxy, 30)
            try proxy.passCounted(.seconds(30))
            #expect(try stage.passed(50, proxy) == 50)
        }

        @Test func `who waits in line waits for the end of a pause`() throws {
            let stage = try stage(Self.limited("Retry-After: 30\r\n"))
            let proxy = try stage.proxy(.waiting(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try proxy.answer(to: get("/")).status == 429)
            let client = try proxy.connect(sending: get("/"))
            try proxy.settle()
            #expect(client.isQuiet && stage.upstream.count == 1)
            try proxy.passCounted(.seconds(30))
            #expect(try client.answer().status == 200)
        }

        @Test func `nothing remaining pauses until the reset`() throws {
            let stage = try stage(ok("hello", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 45\r\n"))
            let proxy = try stage.proxy(.limited(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            try expectPaused(proxy, 45)
            try proxy.passCounted(.seconds(45))
            #expect(try stage.passed(2, proxy) == 2)
        }

        @Test func `fewer remaining than ours is believed`() throws {
            let stage = try QuotaStage { number, _ in
                ok("hello", "X-RateLimit-Remaining: \(max(0, 3 - number))\r\nX-RateLimit-Reset: 45\r\n")
            }
            let proxy = try stage.proxy(.limited(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try stage.passed(10, proxy) == 4)
            #expect(stage.upstream.count == 4)
        }

        @Test func `more remaining than ours is not`() throws {
            let stage = try QuotaStage { _, _ in
                ok("hello", "X-RateLimit-Remaining: 999\r\nX-RateLimit-Reset: 45\r\n")
            }
            let proxy = try stage.proxy(.limited(2, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try stage.passed(10, proxy) == 2)
        }
    }
}
