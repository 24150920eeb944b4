import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// A Redis that answers, and fails in part.
    struct SharedLedgerTroubleTests {
        private let limit = LimitSettings(count: 100, window: .seconds(3_600))

        private static let record = "tollkey:quota:{acme|api.acme.test:443|calls}"

        @Test(arguments: ["SET \(record) garbage", "SET \(record) 1", "LPUSH \(record) a"])
        func `a record that cannot be read is its own category's trouble`(_ command: String) throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, [limit])
                let replica = replicas.all[0]
                #expect(replica.call() == 1)
                _ = try redis.ask("DEL \(Self.record)")
                _ = try redis.ask(command)
                let key = LedgerKey(provider: "acme", authority: "a", category: "other")
                for turn in 1...10 as ClosedRange<Int64> {
                    replicas.pass(.milliseconds(500))
                    replicas.beat()
                    #expect(replica.call() == 0 && replica.refusal.reason == .ledgerAway)
                    var part = LimitContact(limit: limit)
                    (part.wanted, part.left, part.life) = (Int(turn), Int(turn) - 1, 2_000_000)
                    let contact = LedgerContact(key: key, turn: turn, limits: [part])
                    let replies = try replica.ledger.answer([HeldContact(contact, of: 7)])
                    #expect(replies[0].limits.first?.held == Int(turn))
                }
                #expect(replica.ledger.standing.place == .shared && replica.failure == nil)
                #expect(!replica.book.lines.contains { $0.contains("cannot be asked") })
                // A memory that was lost meanwhile is told the rest.
                _ = try redis.ask("DEL tollkey:epoch")
                replicas.beat()
                replicas.pass(.seconds(3))
                replicas.beat()
                #expect(replica.ledger.standing.place == .shared)
            }
        }

        @Test func `one that answers and cannot be told is away until it can, and the share goes on`() throws
        {
            try withRedis { redis in
                let replicas = try Replicas(redis, [limit])
                let replica = replicas.all[0]
                #expect(replica.call(10) == 10)
                replicas.live(.seconds(1))
                // Its signs of life are taken, and nothing else.
                _ = try redis.ask("ACL SETUSER default resetkeys ~tollkey:epoch ~tollkey:replicas")
                var sent = replica.call()
                let since = replica.ledger.standing.since
                for _ in 0..<20 {
                    replicas.pass(.milliseconds(500))
                    replicas.beat()
                    sent += replica.call(5)
                    #expect(replica.ledger.standing.place == .away && replica.ledger.standing.since == since)
                }
                // While it is being told, nobody is asked.
                #expect(sent >= 20, "\(sent)")
                #expect(replica.book.lines.count { $0.contains("cannot be asked") } == 1)
                _ = try redis.ask("ACL SETUSER default allkeys")
                replicas.pass(.seconds(1))
                replicas.beat()
                #expect(replica.ledger.standing.place == .shared)
                replicas.pass(.seconds(1))
                replica.call(200)
                #expect((98...100).contains(replica.sends.count), "\(replica.sends.count)")
            }
        }
    }
}
