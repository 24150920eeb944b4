import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Calls at a limit, as the client and the provider see them.
    struct QuotaTests {
        @Test
        func `a call beyond the limit is told when the next one can pass, and does not reach the provider`()
            throws
        {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.limited(3, per: .seconds(60)))
            defer { proxy.stop() }
            #expect(try stage.passed(3, proxy) == 3)
            try proxy.passCounted(.seconds(20))
            let client = try proxy.connect()
            for _ in 0..<5 {
                try client.send(get("/secret?q=1"))
                let answer = try client.answer()
                let problem = try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false)
                #expect(problem.category == "calls" && problem.provider == "acme")
                #expect(problem.detail.contains("3/minute") && problem.detail.contains("40 s"))
                #expect(answer.values(of: "Retry-After") == ["40"])
                #expect(answer.values(of: "X-RateLimit-Limit") == ["3"])
                #expect(answer.values(of: "X-RateLimit-Remaining") == ["0"])
                #expect(answer.values(of: "X-RateLimit-Reset") == ["\(stage.clock.seconds + 40)"])
            }
            #expect(stage.upstream.count == 3)
            try proxy.passCounted(.seconds(39))
            try client.send(get("/"))
            #expect(try client.answer().values(of: "Retry-After") == ["1"])
            try proxy.passCounted(.seconds(1))
            #expect(try stage.passed(5, proxy) == 3)
            #expect(stage.upstream.count == 6)
        }

        @Test func `content that is held until its end holds no permit while it comes`() throws {
            let stage = try QuotaStage()
            var provider = try stage.provider(.limited(1, per: .seconds(60)))
            provider.inject.append(InjectedHeader(name: "X-Body", value: [.request(.body)]))
            let proxy = try stage.proxy(provider)
            defer { proxy.stop() }
            let slow = try proxy.connect()
            try slow.send(String(post("/", "hello").dropLast(2)))
            try proxy.settle()
            #expect(try stage.passed(1, proxy) == 1)
            try slow.send("lo")
            try expectProblem(try slow.answer(), 429, "rate-limited", mayHaveBeenProcessed: false)
            try proxy.passCounted(.seconds(60))
            try slow.send(post("/", "again"))
            #expect(try slow.answer().status == 200)
            #expect(stage.upstream.requests.last?.values(of: "X-Body") == ["again"])
        }

        @Test func `content of a call that is refused is taken, and its connection goes on`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.limited(1, per: .seconds(60)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let client = try proxy.connect()
            for _ in 0..<3 {
                try client.send(post("/", "hello"))
                let answer = try client.answer()
                #expect(answer.status == 429 && !answer.closes)
            }
            try client.send("HEAD /acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.answer(toHead: true).values(of: "Retry-After") == ["60"])
            #expect(stage.upstream.count == 1)
        }

        @Test func `each category has its own count, and a call in none is not counted`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(
                .limited(2, per: .seconds(60), "/a/**", name: "a"),
                .limited(1, per: .seconds(60), "/b/**", name: "b"))
            defer { proxy.stop() }
            #expect(try stage.passed(4, proxy, "/a/x") == 2)
            #expect(try stage.passed(4, proxy, "/b") == 1)
            #expect(try stage.passed(20, proxy, "/c") == 20)
            let answer = try proxy.answer(to: get("/b/y", "Connection: close\r\n"))
            #expect(
                try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false).category == "b")
        }

        @Test func `of two limits the one in the way is told`() throws {
            let stage = try QuotaStage()
            var category = try CategorySettings.limited(5, per: .seconds(3_600))
            category.limits.append(LimitSettings(count: 2, window: .seconds(10)))
            let proxy = try stage.proxy(category)
            defer { proxy.stop() }
            for (passed, seconds, limit) in [(2, "10", "2"), (2, "10", "2"), (1, "3580", "5")] {
                #expect(try stage.passed(3, proxy) == passed)
                let answer = try proxy.answer(to: get("/"))
                #expect(answer.values(of: "Retry-After") == [seconds])
                #expect(answer.values(of: "X-RateLimit-Limit") == [limit])
                try proxy.passCounted(.seconds(10))
            }
        }

        @Test func `Expect is not answered before there is a permit`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let client = try proxy.connect(
                sending:
                    "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
            )
            try proxy.settle()
            #expect(client.isQuiet)
            try proxy.passCounted(.seconds(10))
            #expect(try client.answer().status == 100)
            try client.send("hello")
            #expect(try client.answer().status == 200)
        }

        @Test func `a call that does not get through to the provider costs no permit`() throws {
            let stage = try QuotaStage()
            let away = try RawUpstream(listens: false)
            var provider = ProviderSettings.plain(away.port)
            provider.categories = [try .limited(2, per: .seconds(60))]
            let proxy = try stage.proxy(provider)
            defer { proxy.stop() }
            for _ in 0..<5 {
                try expectProblem(
                    proxy.answer(to: get("/", "Connection: close\r\n")), 502, "upstream-unreachable",
                    mayHaveBeenProcessed: false)
            }
        }

        // MARK: Repetitions

        @Test func `a repetition after a lost connection takes a permit of its own`() throws {
            // The first request of each pair loses its connection.
            let stage = try QuotaStage { number, _ in number % 2 == 0 ? nil : ok() }
            let proxy = try stage.proxy(.limited(5, per: .seconds(60)))
            defer { proxy.stop() }
            for _ in 0..<2 { #expect(try proxy.answer(to: get("/")).status == 200) }
            #expect(stage.upstream.count == 4)
            // The fifth permit is for sending it, and there is none for the repetition.
            let answer = try proxy.answer(to: get("/", "Connection: close\r\n"))
            try expectProblem(answer, 502, "upstream-broke", mayHaveBeenProcessed: true)
            #expect(stage.upstream.count == 5)
            #expect(try proxy.answer(to: get("/")).status == 429)
        }
    }
}
