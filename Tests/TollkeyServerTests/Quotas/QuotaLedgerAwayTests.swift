import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Calls at a limit whose ledger does not answer.
    struct QuotaLedgerAwayTests {
        @Test func `a lease that ends between two looks at the clock lets nobody pass`() throws {
            let stage = try QuotaStage(tick: .milliseconds(20))
            let proxy = try stage.proxy(.limited(1_000_000, per: .seconds(1)))
            defer { proxy.stop() }
            for _ in 0..<20 {
                try stage.emptyLedger()
                proxy.pass(.seconds(3))
                #expect(try stage.passed(1, proxy) == 1)
                try proxy.settle()
                try stage.damageLedger()
                proxy.pass(.milliseconds(1_200))
                let client = try proxy.connect()
                var status = 200
                for _ in 0..<200 where status == 200 {
                    try client.send(get("/"))
                    status = try client.answer().status
                }
                #expect(status == 429)
            }
        }

        private func lines(_ stage: QuotaStage, _ words: String) -> [String] {
            stage.log.lines.filter { $0.contains(words) }
        }

        @Test func `one record that cannot be read is said once, and is its own category's trouble`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(
                .limited(1_000, per: .seconds(3_600), "/a/**", name: "a"),
                .limited(1_000, per: .seconds(3_600), "/b/**", name: "b"))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy, "/a/x") == 1)
            try stage.damageLedger()
            for _ in 0..<30 {
                _ = try stage.passed(1, proxy, "/a/x")
                #expect(try stage.passed(1, proxy, "/b/x") == 1)
                try proxy.passCounted(.seconds(10))
            }
            let answer = try proxy.answer(to: get("/a/x"))
            try expectProblem(answer, 429, "quota-paused", mayHaveBeenProcessed: false)
            #expect(lines(stage, "record of the quota ledger cannot be read").count == 1)
            #expect(lines(stage, "cannot be asked").isEmpty)
            try stage.emptyLedger()
            try proxy.passCounted(.seconds(1))
            #expect(try stage.passed(1, proxy, "/a/x") == 1)
            #expect(lines(stage, "can be read again").count == 1)
        }

        @Test func `a pause is said once, however often the ledger has to be told`() throws {
            let stage = try QuotaStage { number, _ in
                number == 0 ? ok() : "HTTP/1.1 429 No\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
            }
            let proxy = try stage.proxy(.limited(1_000, per: .seconds(3_600)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            // Otherwise what it has to tell may come to a damaged ledger, and the next call nowhere.
            try proxy.settle()
            try stage.damageLedger()
            #expect(try proxy.answer(to: get("/")).status == 429)
            for _ in 0..<20 { proxy.pass(.milliseconds(150)) }
            try proxy.settle()
            #expect(lines(stage, "asks for a pause").count == 1)
            try stage.emptyLedger()
            proxy.pass(.milliseconds(150))
            try proxy.settle()
            #expect(lines(stage, "asks for a pause").count == 1)
            proxy.pass(.seconds(5))
            #expect(try proxy.answer(to: get("/")).status == 429)
            try proxy.settle()
            #expect(lines(stage, "asks for a pause").count == 2)
        }
    }
}
