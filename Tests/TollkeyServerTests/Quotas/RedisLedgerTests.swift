import Synchronization
import Testing
import TollkeyCore
import TollkeyServer

/// What the server's clock shows, in microseconds, moved by hand.
final class LedgerHands: Sendable {
    private let hands = Mutex<Int64>(1_800_000_000_000_000)
    var now: Int64 { hands.withLock { $0 } }
    var time: @Sendable () -> Int64 { { self.now } }
    func advance(by duration: Duration) { advance(by: TimeSpan(duration).microseconds) }
    func advance(by microseconds: Int64) { hands.withLock { $0 += microseconds } }
}

/// Lends a way to a server that is past its grace, and the epoch.
func withRedisLedger(
    _ redis: RedisServer, _ hands: LedgerHands, process: String = "p1",
    _ body: (RedisLedger, UInt64) throws -> Void
) throws {
    let ledger = try RedisLedger(redis.settings, process: process, time: hands.time)
    defer { ledger.close() }
    _ = try ledger.beat()
    hands.advance(by: .seconds(3))
    try body(ledger, try ledger.beat().epoch)
}

extension LedgerKey {
    static let calls = LedgerKey(provider: "acme", authority: "api.acme.test:443", category: "calls")
}

/// A contact about one limit, that wants `wanted` permits.
func contact(
    _ limit: LimitSettings, turn: Int64, wanted: Int = 0, _ change: (inout LimitContact) -> Void = { _ in }
) -> LedgerContact {
    var part = LimitContact(limit: limit)
    part.wanted = wanted
    part.life = 2_000_000
    change(&part)
    return LedgerContact(key: .calls, turn: turn, limits: [part])
}

extension EndToEnd {
    struct RedisLedgerTests {
        /// A holder that loses replies, repeats itself, and is sometimes overtaken by itself.
        private struct Holder {
            let id: UInt64
            var turn: Int64 = 0
            var limits: [(used: Int, acknowledged: Int, held: Int, total: Int)]
            var late: [LedgerContact] = []

            mutating func say(_ limits: [LimitSettings], _ dice: inout Dice) -> LedgerContact {
                turn += 1
                var contact = LedgerContact(key: .calls, turn: turn, limits: [])
                let most = self.limits.map(\.held).min() ?? 0
                let uses = dice.roll(most + 1) + (dice.roll(20) == 0 ? dice.roll(5) : 0)
                let wanted = dice.roll(limits[0].count / 2 + 2)
                for (index, limit) in limits.enumerated() {
                    self.limits[index].used += uses
                    var part = LimitContact(limit: limit)
                    part.used = self.limits[index].used
                    part.acknowledged = self.limits[index].acknowledged
                    part.age = uses > 0 ? Int64(dice.roll(3_000_000)) : 0
                    part.left = max(0, min(self.limits[index].held - uses, wanted))
                    part.wanted = wanted
                    part.life = Int64(dice.roll(2_000_000))
                    part.total = self.limits[index].total
                    contact.limits.append(part)
                }
                if dice.roll(30) == 0 { contact.pause = Int64(dice.roll(5_000_000)) }
                return contact
            }

            mutating func hear(_ reply: LedgerReply) {
                for (index, limit) in reply.limits.enumerated() {
                    limits[index].acknowledged = limits[index].used
                    limits[index].held = limit.held
                    limits[index].total = limit.total
                }
            }
        }

        @Test func `the script answers as the record of the core does`() throws {
            try withRedis { redis in
                for seed in 1...40 as ClosedRange<UInt64> {
                    _ = try redis.ask("FLUSHALL")
                    let hands = LedgerHands()
                    try withRedisLedger(redis, hands) { try compare($0, $1, hands, seed: seed) }
                }
            }
        }

        private func compare(_ ledger: RedisLedger, _ epoch: UInt64, _ hands: LedgerHands, seed: UInt64)
            throws
        {
            var dice = Dice(seed: seed)
            var limits = [
                LimitSettings(count: [3, 40, 2_000][dice.roll(3)], window: .seconds(1 + dice.roll(60)))
            ]
            if dice.roll(2) == 0 {
                limits.append(LimitSettings(count: 1 + dice.roll(1_000), window: .seconds(90)))
            }
            var holders = (1...3).map { id in
                Holder(
                    id: UInt64(id) << 62 | UInt64(id),
                    limits: limits.map { _ in (used: 0, acknowledged: 0, held: 0, total: 0) })
            }
            var record = CategoryRecord()
            for step in 1...150 {
                hands.advance(
                    by: [0, 1, 700, 400_000, 3_000_000, 20_000_000].map { Int64(dice.roll($0 + 1)) }[
                        dice.roll(6)])
                let index = dice.roll(holders.count)
                var said = holders[index].say(limits, &dice)
                said.era = epoch
                if dice.roll(10) == 0 {
                    holders[index].late.append(said)
                    continue
                }
                var together = [said]
                if dice.roll(8) == 0 { together += holders[index].late }
                if dice.roll(8) == 0 { together.append(said) }
                let replies = try #require(
                    try ledger.answer(together.map { HeldContact($0, of: holders[index].id) }, in: epoch))
                for (contact, reply) in zip(together, replies) {
                    var expected = record.answer(contact, of: holders[index].id, at: hands.now)
                    expected.era = epoch
                    try #require(reply == expected, "seed \(seed), step \(step): \(contact)")
                }
                if dice.roll(5) > 0 { holders[index].hear(replies[0]) }
            }
        }

        private let limit = LimitSettings(count: 100, window: .seconds(3_600))

        @Test func `a server that is met for the first time grants nothing for a moment`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                let ledger = try RedisLedger(redis.settings, process: "p1", time: hands.time)
                defer { ledger.close() }
                let beat = try ledger.beat()
                #expect(beat.graceLeft == RedisLedger.graceTime && beat.replicas == 1)
                let held = [HeldContact(contact(limit, turn: 1, wanted: 5), of: 1)]
                hands.advance(by: 2_999_999)
                #expect(try ledger.beat().graceLeft == TimeSpan(microseconds: 1))
                #expect(try ledger.answer(held, in: beat.epoch) == nil)
                hands.advance(by: 1)
                #expect(try ledger.beat().graceLeft == TimeSpan(microseconds: 0))
                #expect(try ledger.answer(held, in: beat.epoch)?.first?.limits.first?.held == 5)
            }
        }

        @Test func `processes are counted while they give signs of life`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { one, _ in
                    try withRedisLedger(redis, hands, process: "p2") { two, _ in
                        #expect(try one.beat().replicas == 2)
                        hands.advance(by: 9_999_999)
                        #expect(try one.beat().replicas == 2)
                        hands.advance(by: 1)
                        #expect(try one.beat().replicas == 1)
                        #expect(try two.beat().replicas == 2)
                        try two.leave()
                        #expect(try one.beat().replicas == 1)
                    }
                }
            }
        }

        @Test func `of a memory that was lost, the most that anybody knew was spent`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, first in
                    let a = try #require(
                        try ledger.answer(
                            [HeldContact(contact(limit, turn: 1, wanted: 30), of: 1)], in: first))
                    let b = try #require(
                        try ledger.answer(
                            [HeldContact(contact(limit, turn: 1, wanted: 20), of: 2)], in: first))
                    #expect(a[0].limits[0].total == 30 && b[0].limits[0].total == 50)
                    _ = try redis.ask("FLUSHALL")
                    let asked = [HeldContact(contact(limit, turn: 2, wanted: 100), of: 3)]
                    #expect(try ledger.answer(asked, in: first) == nil)
                    let second = try ledger.beat().epoch
                    #expect(second != first)
                    for (holder, total) in [(1, 30), (2, 50), (2, 50)] {
                        var told = contact(limit, turn: 1) { $0.total = total }
                        told.era = first
                        #expect(try ledger.tell([HeldContact(told, of: UInt64(holder))], in: second))
                    }
                    hands.advance(by: .seconds(3))
                    let reply = try #require(try ledger.answer(asked, in: second))
                    #expect(reply[0].limits[0].held == 50 && reply[0].limits[0].total == 100)
                    // Who comes late, and knew of more, takes it off what is left.
                    var late = contact(limit, turn: 1, wanted: 1) { $0.total = 60 }
                    late.era = first
                    #expect(
                        try ledger.answer([HeldContact(late, of: 4)], in: second)?[0].limits[0].total == 110)
                }
            }
        }

        private static let record = "tollkey:quota:{acme|api.acme.test:443|calls}"

        @Test(arguments: [50, 0])
        func `a memory that lags behind counts what was heard of, used and held`(_ left: Int) throws {
            try withRedis { redis in
                let hands = LedgerHands()
                let limit = LimitSettings(count: 10_000, window: .seconds(3_600))
                try withRedisLedger(redis, hands) { ledger, first in
                    func ask(_ contact: LedgerContact, of holder: UInt64, in epoch: UInt64) throws
                        -> LimitReply
                    {
                        try #require(
                            try ledger.answer([HeldContact(contact, of: holder)], in: epoch)?.first?.limits
                                .first)
                    }
                    #expect(try ask(contact(limit, turn: 1, wanted: 50), of: 1, in: first).total == 50)
                    #expect(try redis.ask("COPY \(Self.record) lagging") == ":1")
                    hands.advance(by: .milliseconds(250))
                    var said = contact(limit, turn: 2, wanted: 50) {
                        ($0.used, $0.left, $0.age, $0.total) = (10, 40, 1_000, 50)
                    }
                    said.era = first
                    #expect(try ask(said, of: 1, in: first).total == 60)
                    // A replica of the server takes over, that has not heard of the second contact.
                    #expect(try redis.ask("COPY lagging \(Self.record) REPLACE") == ":1")
                    _ = try redis.ask("DEL tollkey:epoch")
                    let second = try ledger.beat().epoch
                    said = contact(limit, turn: 2) {
                        ($0.used, $0.acknowledged, $0.left, $0.total) = (10, 10, left, 60)
                    }
                    said.era = first
                    #expect(try ledger.tell([HeldContact(said, of: 1)], in: second))
                    hands.advance(by: .seconds(3))
                    let other = try ask(contact(limit, turn: 1, wanted: 10_000), of: 2, in: second)
                    #expect(other.held == 9_940)
                }
            }
        }

        @Test func `what was used on top of what was heard of counts on top, whoever tells first`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, first in
                    _ = try redis.ask("FLUSHALL")
                    let second = try ledger.beat().epoch
                    for (holder, used, total) in [(1, 5, 58), (2, 0, 60), (3, 2, 50)] {
                        var told = contact(limit, turn: 1) { ($0.used, $0.total) = (used, total) }
                        told.era = first
                        #expect(try ledger.tell([HeldContact(told, of: UInt64(holder))], in: second))
                    }
                    hands.advance(by: .seconds(3))
                    let held = HeldContact(contact(limit, turn: 1, wanted: 100), of: 4)
                    #expect(try ledger.answer([held], in: second)?.first?.limits.first?.held == 33)
                }
            }
        }

        @Test func `a server that is another process than before may have forgotten some`() throws {
            try withRedis(["appendonly yes", "appendfsync always"]) { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, first in
                    let held = [HeldContact(contact(limit, turn: 1, wanted: 30), of: 1)]
                    #expect(try ledger.answer(held, in: first) != nil)
                    try redis.restart()
                    #expect(try ledger.answer(held, in: first) == nil)
                    let second = try ledger.beat()
                    #expect(second.epoch != first && second.graceLeft == RedisLedger.graceTime)
                    var told = contact(limit, turn: 1) { $0.total = 40 }
                    told.era = first
                    #expect(try ledger.tell([HeldContact(told, of: 1)], in: second.epoch))
                    hands.advance(by: .seconds(3))
                    let last = [HeldContact(contact(limit, turn: 2), of: 2)]
                    #expect(try ledger.answer(last, in: second.epoch)?[0].limits[0].total == 40)
                }
            }
        }

        @Test func `what nobody needs any more is forgotten by the server itself`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, epoch in
                    let short = LimitSettings(count: 5, window: .seconds(10))
                    let held = [HeldContact(contact(short, turn: 1, wanted: 1), of: 1)]
                    #expect(try ledger.answer(held, in: epoch) != nil)
                    let left = try redis.ask("PTTL tollkey:quota:{acme|api.acme.test:443|calls}")
                    let milliseconds = try #require(Int(left.dropFirst()))
                    #expect((10_000...13_000).contains(milliseconds))
                }
            }
        }

        @Test func `replicas with different limits do not make each other's records forgotten`() throws {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, epoch in
                    let other = LimitSettings(count: 10, window: .seconds(60))
                    for turn in 1...5 as ClosedRange<Int64> {
                        for (holder, limit) in [(1, limit), (2, other)] {
                            let held = HeldContact(
                                contact(limit, turn: turn, wanted: Int(2 * turn)) {
                                    $0.left = Int(2 * turn - 2)
                                },
                                of: UInt64(holder))
                            let reply = try #require(try ledger.answer([held], in: epoch))
                            #expect(reply[0].limits[0].total == Int(2 * turn))
                        }
                    }
                }
            }
        }

        @Test func `contacts in one flight are answered also by a server that does not know the script`()
            throws
        {
            try withRedis { redis in
                let hands = LedgerHands()
                try withRedisLedger(redis, hands) { ledger, epoch in
                    for turn in 1...2 as ClosedRange<Int64> {
                        _ = try redis.ask("SCRIPT FLUSH")
                        let held = (1...3).map { HeldContact(contact(limit, turn: turn, wanted: 1), of: $0) }
                        let replies = try #require(try ledger.answer(held, in: epoch))
                        #expect(replies.map { $0.limits[0].held } == [1, 1, 1])
                    }
                }
            }
        }
    }
}
