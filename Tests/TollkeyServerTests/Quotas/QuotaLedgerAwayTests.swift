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
    }
}
