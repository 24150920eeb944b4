import Testing
import TollkeyCore

/// The ledger's side: what counts, and for how long.
struct LimitRecordTests {
    private static let second: Int64 = 1_000_000

    /// Holders that ask a record.
    private struct Ledger {
        var record = CategoryRecord()
        var limits: [LimitSettings]
        private var turns: [UInt64: Int64] = [:]
        private var used: [UInt64: Int] = [:]

        init(_ limits: LimitSettings...) { self.limits = limits }

        /// Tells of `using` more uses, the last of them `age` microseconds ago, and asks to hold `wanted`.
        mutating func ask(
            _ holder: UInt64 = 1, wanted: Int = 0, left: Int = 0, using: Int = 0, age: Int64 = 0,
            life: Int64 = 2 * second, turn: Int64? = nil, at now: Int64
        ) -> LimitReply {
            let acknowledged = used[holder, default: 0]
            used[holder] = acknowledged + using
            turns[holder, default: 0] += 1
            let key = LedgerKey(provider: "acme", authority: "a", category: "c")
            var contact = LedgerContact(key: key, turn: turn ?? turns[holder, default: 0], limits: [])
            for limit in limits {
                var part = LimitContact(limit: limit)
                (part.used, part.acknowledged, part.age) = (acknowledged + using, acknowledged, age)
                (part.left, part.wanted, part.life) = (left, wanted, life)
                contact.limits.append(part)
            }
            return record.answer(contact, of: holder, at: now).limits[0]
        }

        /// Has one permit, and uses it at once.
        mutating func use(_ holder: UInt64 = 1, at now: Int64) -> Bool {
            guard ask(holder, wanted: 1, at: now).held == 1 else { return false }
            _ = ask(holder, using: 1, at: now)
            return true
        }
    }

    private let two = LimitSettings(2, per: .seconds(10))
    private let second = Self.second

    @Test func `a use leaves exactly when it is as long ago as the window is long`() {
        var ledger = Ledger(two)
        #expect(ledger.use(at: 0) && ledger.use(at: 4 * second))
        let full = ledger.ask(wanted: 1, at: 10 * second - 1)
        #expect(full == LimitReply(held: 0, total: 2, holders: 1, nextIn: 1))
        #expect(ledger.use(at: 10 * second) == true)
        #expect(ledger.use(at: 14 * second - 1) == false)
        #expect(ledger.use(at: 14 * second) == true)
    }

    @Test func `a use counts from when it was made, not from when it was told`() {
        var ledger = Ledger(two)
        #expect(ledger.ask(wanted: 2, at: 0).held == 2)
        #expect(ledger.ask(using: 2, age: second / 2, at: second).nextIn == 9 * second + second / 2)
        #expect(ledger.use(at: 10 * second + second / 2 - 1) == false)
        #expect(ledger.use(at: 10 * second + second / 2) == true)
    }

    @Test func `what is held counts, and what is given back does not`() {
        var ledger = Ledger(two)
        #expect(ledger.ask(1, wanted: 2, at: 0).held == 2)
        #expect(ledger.ask(2, wanted: 1, at: 1) == LimitReply(held: 0, total: 2, holders: 2, nextIn: 0))
        #expect(ledger.ask(1, left: 1, at: 2).held == 1)
        #expect(ledger.ask(2, wanted: 2, at: 3).held == 1)
    }

    @Test func `a lease that nobody reports counts as used at its end`() {
        var ledger = Ledger(two)
        #expect(ledger.ask(1, wanted: 2, at: 0).held == 2)
        #expect(ledger.use(2, at: 2 * second) == false)
        #expect(ledger.use(2, at: 12 * second - 1) == false)
        #expect(ledger.use(2, at: 12 * second) == true)
    }

    @Test func `who reports its uses after the lease's end is charged once`() {
        var ledger = Ledger(two)
        #expect(ledger.ask(1, wanted: 2, at: 0).held == 2)
        #expect(ledger.ask(2, at: 3 * second).total == 2)
        #expect(ledger.ask(1, using: 2, age: 2 * second, at: 4 * second).total == 2)
        #expect(ledger.ask(1, using: 1, at: 5 * second).total == 3, "one that it had no permit for")
    }

    @Test func `a contact that arrives behind a later one is void`() {
        var ledger = Ledger(two)
        #expect(ledger.ask(wanted: 1, turn: 5, at: 0).held == 1)
        let before = ledger.record
        for turn in [4, 5] as [Int64] {
            #expect(ledger.ask(wanted: 2, using: 1, turn: turn, at: 0).held == 0)
            #expect(ledger.record == before)
        }
        #expect(ledger.ask(wanted: 2, left: 1, turn: 6, at: 0).held == 1, "of what it has used since then")
    }

    @Test func `a contact that is repeated counts nothing twice`() {
        var record = CategoryRecord()
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        for turn in 1...5 as ClosedRange<Int64> {
            var part = LimitContact(limit: two)
            part.used = 1
            let reply = record.answer(LedgerContact(key: key, turn: turn, limits: [part]), of: 1, at: turn)
            #expect(reply.limits[0].total == 1)
        }
    }

    @Test func `what was acknowledged once does not count for a ledger that has forgotten it`() {
        var record = CategoryRecord()
        var part = LimitContact(limit: two)
        (part.used, part.acknowledged) = (7, 6)
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        let reply = record.answer(LedgerContact(key: key, turn: 9, limits: [part]), of: 1, at: 0)
        #expect(reply.limits[0].total == 1)
    }

    @Test func `a clock that is set back stands still`() {
        var ledger = Ledger(two)
        #expect(ledger.use(at: 20 * second) == true)
        #expect(ledger.use(at: 5 * second) == true)
        #expect(ledger.use(at: 19 * second) == false)
        #expect(ledger.record.limits[0].now == 20 * second)
        #expect(ledger.use(at: 30 * second - 1) == false)
        #expect(ledger.use(at: 30 * second) == true)
    }

    @Test func `ages beyond reason are bounded by now and by the window`() {
        for age in [-1, .min, .max, 100 * second] as [Int64] {
            var ledger = Ledger(two)
            #expect(ledger.ask(wanted: 1, at: 50 * second).held == 1)
            let total = ledger.ask(using: 1, age: age, at: 50 * second).total
            #expect(total <= 1)
            #expect(ledger.ask(wanted: 2, at: 60 * second).held == 2)
        }
    }

    @Test func `uses of a large limit are counted together, never fewer and hardly longer`() {
        let limit = LimitSettings(100_000, per: .seconds(100))
        var ledger = Ledger(limit)
        var times: [Int64] = []
        var dice = Dice(seed: 5)
        var now: Int64 = 0
        let window = limit.windowMicroseconds
        let grain = window / Int64(LimitRecord.usesMax)
        for round in 0..<6_000 {
            now += Int64.random(in: 0...100_000, using: &dice)
            guard ledger.use(at: now) else {
                Issue.record("refused")
                return
            }
            times.append(now)
            guard round % 97 == 0 else { continue }
            let total = ledger.ask(at: now).total
            #expect(total >= times.count { $0 + window > now })
            #expect(total <= times.count { $0 + window + grain > now })
            #expect(ledger.record.limits[0].uses.count <= LimitRecord.usesMax + 1)
        }
    }

    @Test func `uses are bounded also where clocks and leases are odd`() {
        let limit = LimitSettings(500, per: .seconds(1))
        var ledger = Ledger(limit)
        for step in 0..<5_000 as Range<Int64> {
            _ = ledger.ask(UInt64(step % 900), wanted: 1, using: 1, life: step % 7, at: step)
            #expect(ledger.record.limits[0].uses.count <= 4 * LimitRecord.usesMax)
        }
        #expect(CategoryRecord(decoding: ledger.record.encode()) == ledger.record)
    }

    @Test func `so many holders have permits and no more, until one has used or given back its own`() {
        var ledger = Ledger(LimitSettings(5_000, per: .seconds(10)))
        let most = UInt64(LimitRecord.holdersMax)
        for holder in 1...most { #expect(ledger.ask(holder, wanted: 1, at: 0).held == 1) }
        #expect(ledger.ask(most + 1, wanted: 1, at: second).held == 0)
        #expect(ledger.ask(1, wanted: 1, left: 1, at: second).held == 1)
        _ = ledger.ask(7, using: 1, at: second)
        let reply = ledger.ask(most + 1, wanted: 1, at: second)
        #expect(reply.held == 1 && reply.total == Int(most) + 1)
        #expect(ledger.record.limits[0].leases.count == LimitRecord.holdersMax)
        #expect(ledger.ask(most + 2, wanted: 1, at: second).held == 0)
    }

    @Test func `holders that come and go are as many as may be, and none of their uses is forgotten`() {
        var ledger = Ledger(LimitSettings(2_000, per: .seconds(86_400)))
        for holder in 1...2_000 as ClosedRange<UInt64> {
            #expect(ledger.use(holder, at: Int64(holder)) == true)
        }
        #expect(ledger.use(2_001, at: 3_000) == false)
        #expect(ledger.record.limits[0].leases.count == LimitRecord.holdersMax)
        // Forgotten meanwhile; what it says once more may count twice, and never less.
        #expect(ledger.ask(1, using: 1, at: 3_001).total >= 2_001)
    }

    @Test func `a holder gets equally many permits of each limit`() {
        var record = CategoryRecord()
        let limits = [LimitSettings(3, per: .seconds(1)), LimitSettings(5, per: .seconds(10))]
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        func ask(_ turn: Int64, wanted: Int, used: Int, at now: Int64) -> [Int] {
            let parts = limits.map { limit in
                var part = LimitContact(limit: limit)
                (part.wanted, part.used, part.life) = (wanted, used, second)
                return part
            }
            return record.answer(LedgerContact(key: key, turn: turn, limits: parts), of: 1, at: now).limits
                .map(\.held)
        }
        #expect(ask(1, wanted: 9, used: 0, at: 0) == [3, 3])
        #expect(ask(2, wanted: 9, used: 3, at: 0) == [0, 0])
        #expect(ask(3, wanted: 9, used: 3, at: second) == [2, 2])
    }

    @Test func `a holder of whose leases one has ended gets new permits of that limit`() {
        var record = CategoryRecord()
        let limits = [LimitSettings(30, per: .seconds(10)), LimitSettings(50, per: .seconds(100))]
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        func ask(_ turn: Int64, left: Int, wanted: Int, at now: Int64) -> [Int] {
            let parts = limits.map { limit in
                var part = LimitContact(limit: limit)
                (part.wanted, part.left, part.life) = (wanted, left, limit.windowMicroseconds / 10)
                return part
            }
            return record.answer(LedgerContact(key: key, turn: turn, limits: parts), of: 1, at: now).limits
                .map(\.held)
        }
        #expect(ask(1, left: 0, wanted: 6, at: 0) == [6, 6])
        #expect(ask(2, left: 6, wanted: 6, at: 5 * second) == [6, 6])
    }

    @Test func `a limit that is changed keeps its count, and one that is gone until it is over`() {
        var ledger = Ledger(two)
        #expect(ledger.use(at: 0) && ledger.use(at: second))
        ledger.limits = [LimitSettings(3, per: .seconds(10))]
        #expect(ledger.use(at: second) && !ledger.use(at: second))
        // Another window begins at nothing; who still has the one before finds it as it was.
        ledger.limits = [LimitSettings(1, per: .seconds(20))]
        #expect(ledger.use(2, at: 2 * second) && !ledger.use(2, at: 2 * second))
        ledger.limits = [two]
        #expect(ledger.use(at: 3 * second) == false)
        ledger.limits = [LimitSettings(1, per: .seconds(20))]
        #expect(ledger.use(2, at: 3 * second) == false)
        _ = ledger.ask(2, at: 60 * second)
        #expect(ledger.record.limits.count == 1)
    }

    @Test func `limits from before are bounded in number`() {
        var ledger = Ledger(two)
        for seconds in 1...100 as ClosedRange<Int64> {
            ledger.limits = [LimitSettings(1, per: .seconds(1_000 + seconds))]
            #expect(ledger.use(at: 0) == true)
        }
        #expect(ledger.record.limits.count == 2 * CategorySettings.limitsMax)
        #expect(CategoryRecord(decoding: ledger.record.encode()) == ledger.record)
    }

    @Test func `of two pauses the longer one holds`() {
        var record = CategoryRecord()
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        func ask(_ turn: Int64, pause: Int64, at now: Int64) -> Int64 {
            var contact = LedgerContact(key: key, turn: turn, limits: [])
            contact.pause = pause
            return record.answer(contact, of: 1, at: now).pause
        }
        #expect(ask(1, pause: 10, at: 0) == 10)
        #expect(ask(2, pause: 5, at: 1) == 9)
        #expect(ask(3, pause: 0, at: 9) == 1)
        #expect(ask(4, pause: 0, at: 10) == 0)
    }
}
