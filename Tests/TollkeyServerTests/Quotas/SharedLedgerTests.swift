import Logging
import Testing
import TollkeyCore
import TollkeyServer

/// One process: its ledger, and a gate whose clerk is the test.
final class LedgerReplica {
    let ledger: SharedLedger
    let book = LogBook()
    let hands: LedgerHands
    let clock: ManualClock
    private var gate: CategoryGate
    private let holder = UInt64.random(in: .min ... .max)
    private var tickets: UInt64 = 0
    private let folder: TemporaryFolder
    private(set) var sends: [Int64] = []

    init(
        _ settings: SharedSettings, _ limits: [LimitSettings], _ hands: LedgerHands, _ clock: ManualClock,
        _ timeouts: RedisTimeouts
    ) throws {
        folder = try TemporaryFolder()
        self.hands = hands
        self.clock = clock
        let book = book
        ledger = try SharedLedger(
            settings, directory: folder.path + "/state", clock: clock.clock,
            logger: Logger(label: "test") { _ in book }, timeouts: timeouts, time: hands.time)
        var category = CategorySettings(name: "calls")
        category.limits = limits
        gate = CategoryGate(category, key: .calls, terms: ledger.terms)
    }

    deinit { ledger.close() }

    /// So many calls, one after the other; how many were sent.
    @discardableResult
    func call(_ count: Int = 1, _ status: Int? = 200, _ signals: RateSignals? = nil) -> Int {
        var sent = 0
        for _ in 0..<count {
            tickets += 1
            var isIn =
                gate.arrive(tickets, of: 0, patience: TimeSpan(nanoseconds: 0), at: clock.now()) == .admitted
            if !isIn { isIn = ask().admitted.contains(tickets) }
            guard isIn, gate.spend(at: clock.now()) else { continue }
            sends.append(hands.now)
            sent += 1
            _ = gate.answered(status, signals, at: clock.now())
        }
        return sent
    }

    /// What the clerk would do now, if anything.
    @discardableResult
    func ask() -> CategoryGate.Outcome {
        guard let contact = gate.look(at: clock.now()) else { return .init() }
        do throws(LedgerFailure) {
            let reply = try ledger.answer([HeldContact(contact, of: holder)])[0]
            guard reply.isDamaged else { return gate.hear(reply, at: clock.now()) }
            return gate.fail(until: clock.now() + TimeSpan(.milliseconds(100)), at: clock.now())
        } catch {
            failure = error
            return gate.fail(until: clock.now() + TimeSpan(.milliseconds(100)), at: clock.now())
        }
    }
    private(set) var failure: LedgerFailure?
    var refusal: QuotaRefusal { gate.refusal(at: clock.now()) }
}

/// Several replicas of one server, and all their clocks.
final class Replicas {
    let hands = LedgerHands()
    let clock = ManualClock()
    let limits: [LimitSettings]
    let settings: SharedSettings
    var all: [LedgerReplica] = []
    private let timeouts: RedisTimeouts

    /// On a busy machine a server that answers late would be away, and shares are not exact.
    static let patient = RedisTimeouts(connect: .seconds(2), command: .seconds(2))

    /// Past the server's grace, unless that is away.
    init(
        _ redis: RedisServer, count: Int = 1, _ limits: [LimitSettings],
        timeouts: RedisTimeouts = Replicas.patient, _ change: (inout SharedSettings) -> Void = { _ in }
    ) throws {
        self.limits = limits
        self.timeouts = timeouts
        settings = redis.settings.with(change)
        for _ in 0..<count { try add() }
        pass(.seconds(3))
        beat()
    }

    func add() throws { all.append(try LedgerReplica(settings, limits, hands, clock, timeouts)) }

    func pass(_ duration: Duration) {
        hands.advance(by: duration)
        clock.advance(by: duration)
    }

    func beat() { for replica in all { replica.ledger.beatNow() } }

    /// Time goes on, and each does what it would do in it.
    func live(_ duration: Duration, step: Duration = .milliseconds(100)) {
        var left = duration
        while left > .zero {
            pass(step)
            left -= step
            beat()
            for replica in all { replica.ask() }
        }
    }
}

extension EndToEnd {
    struct SharedLedgerTests {
        private let limit = LimitSettings(count: 100, window: .seconds(3_600))

        @Test func `replicas share a limit to the last permit`() throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, count: 3, [limit])
                #expect(replicas.all.map(\.ledger.standing.place) == [.shared, .shared, .shared])
                #expect(replicas.all[0].ledger.standing.replicas == 3)
                #expect(replicas.all[0].call(30) == 30)
                #expect(replicas.all[1].call(30) == 30)
                #expect(replicas.all[2].call(60) == 40)
                replicas.pass(.seconds(1))
                #expect(replicas.all[0].call(60) == 0)
            }
        }

        @Test func `a pause that one was asked for holds for the others within two seconds`() throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, count: 2, [limit])
                for replica in replicas.all { #expect(replica.call() == 1) }
                var signals = RateSignals()
                signals.retryAfter = .seconds(60)
                #expect(replicas.all[0].call(1, 429, signals) == 1)
                replicas.all[0].ask()
                var passed = 0
                for _ in 0..<20 {
                    replicas.pass(.milliseconds(100))
                    passed = replicas.all[1].call()
                    replicas.all[1].ask()
                }
                #expect(passed == 0 && replicas.all[1].refusal.reason == .pause)
            }
        }

        @Test func `with refuse nobody passes while it is away, and it is said`() throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, [limit]) { $0.fallback = .refuse }
                let replica = replicas.all[0]
                #expect(replica.call(5) == 5)
                redis.kill()
                replicas.pass(.seconds(3))
                #expect(replica.call(5) == 0)
                let words = try #require(replica.failure?.words)
                #expect(words.contains("does not accept a connection") && words.contains("'refuse'"))
                #expect(replica.refusal.reason == .ledgerAway)
                let standing = replica.ledger.standing
                #expect(standing.place == .away && standing.reason != nil && standing.fallback == .refuse)
                for _ in 0..<50 {
                    replicas.pass(.milliseconds(100))
                    replica.ledger.beatNow()
                }
                let lines = { replica.book.lines.filter { $0.contains("cannot be asked") } }
                #expect(lines().count == 1 && lines()[0].hasPrefix("error"))
                #expect(lines()[0].contains("calls under a limit are refused"))
                replicas.pass(.seconds(60))
                replica.ledger.beatNow()
                #expect(lines().count == 2)
                try redis.restart()
                replicas.pass(.seconds(1))
                replica.ledger.beatNow()
                #expect(replica.ledger.standing.place == .beginning)
                replicas.pass(.seconds(3))
                replica.ledger.beatNow()
                #expect(replica.ledger.standing.place == .shared)
                #expect(replica.book.lines.last?.contains("limits are counted in Redis") == true)
                // What it had told nobody when Redis went away may count twice.
                #expect((94...95).contains(replica.call(200)))
            }
        }

        @Test func `with local each goes on with its share of what was left, and later of the whole`() throws
        {
            try withRedis { redis in
                let replicas = try Replicas(redis, count: 3, [limit])
                replicas.beat()
                for replica in replicas.all { #expect(replica.call(10) == 10) }
                replicas.live(.seconds(3))
                for replica in replicas.all { #expect(replica.call() == 1) }
                replicas.live(.seconds(3))
                redis.kill()
                replicas.beat()
                // They know of 31, 32 and 33 calls: each what there was when it last asked.
                for replica in replicas.all {
                    let sent = replica.call(100)
                    #expect((22...23).contains(sent), "\(sent)")
                    #expect(replica.ledger.standing.place == .away)
                    #expect(replica.call(100) == 0)
                }
                #expect(replicas.all.reduce(0) { $0 + $1.sends.count } <= limit.count + 2)
                replicas.pass(.seconds(3_603))
                for replica in replicas.all {
                    #expect(replica.call(100) == 33)
                    #expect(replica.call(100) == 0)
                }
            }
        }

        @Test(arguments: [true, false])
        func `what was used while it was away counts when it is back, whether it remembers or not`(
            _ remembers: Bool
        ) throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, count: 2, [limit])
                replicas.beat()
                #expect(replicas.all[0].call(10) == 10)
                replicas.live(.seconds(3))
                remembers ? redis.pause() : redis.kill()
                replicas.pass(.seconds(1))
                #expect(replicas.all[0].call(20) == 20 && replicas.all[0].ledger.standing.place == .away)
                remembers ? redis.resume() : try redis.restart()
                replicas.pass(.seconds(1))
                replicas.beat()
                replicas.pass(.seconds(3))
                replicas.beat()
                #expect(replicas.all.map(\.ledger.standing.place) == [.shared, .shared])
                replicas.pass(.seconds(2))
                let rest = replicas.all[1].call(200)
                // What it had told nobody when Redis went away may count twice.
                #expect((69...70).contains(rest), "\(rest)")
                #expect(replicas.all[0].call(200) + rest <= 70)
            }
        }

        @Test func `a share of nothing lets nobody pass`() throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, count: 3, [LimitSettings(count: 2, window: .seconds(60))])
                replicas.beat()
                redis.kill()
                for replica in replicas.all {
                    #expect(replica.call(3) == 0)
                    #expect(replica.ledger.standing.place == .away && replica.failure == nil)
                }
            }
        }

        @Test(arguments: [
            (["maxmemory 1"], "maxmemory"), (["requirepass s3cr3t-c4n4ry"], "wants a password"),
        ])
        func `a server that refuses is away, in words of its own`(_ lines: [String], _ words: String) throws {
            try withRedis(lines) { redis in
                let replicas = try Replicas(redis, [limit]) { $0.fallback = .refuse }
                #expect(replicas.all[0].call() == 0)
                let failure = try #require(replicas.all[0].failure)
                #expect(failure.words.contains(words) && !failure.words.contains("c4n4ry"))
                #expect(replicas.all[0].book.lines.contains { $0.hasPrefix("error") && $0.contains(words) })
            }
        }

        @Test func `a wrong password is said as such, without it`() throws {
            try withRedis(["requirepass right"]) { redis in
                let replicas = try Replicas(redis, [limit]) {
                    $0.fallback = .refuse
                    $0.password = Secret("s3cr3t-c4n4ry")
                }
                #expect(replicas.all[0].call() == 0)
                let words = try #require(replicas.all[0].failure?.words)
                #expect(words.contains("refuses the user or the password") && !words.contains("c4n4ry"))
                #expect(!replicas.all[0].book.lines.joined().contains("c4n4ry"))
            }
        }

        @Test func `a server that has become a replica is away until it is a primary again`() throws {
            try withRedis { redis in
                let replicas = try Replicas(redis, [limit]) { $0.fallback = .refuse }
                let replica = replicas.all[0]
                #expect(replica.call() == 1)
                let primary = try RawUpstream(listens: false)
                _ = try redis.ask("REPLICAOF 127.0.0.1 \(primary.port)")
                replicas.pass(.seconds(3))
                #expect(replica.call() == 0)
                #expect(replica.ledger.standing.reason?.contains("takes no writes") == true)
                _ = try redis.ask("REPLICAOF NO ONE")
                replicas.pass(.seconds(1))
                replica.ledger.beatNow()
                #expect(replica.ledger.standing.place == .shared && replica.call(200) == 99)
            }
        }

        @Test func `while the server stands still, one call waits for it, and no longer than the bound`()
            throws
        {
            try withRedis { redis in
                let replicas = try Replicas(redis, [limit], timeouts: RedisLedger.timeouts)
                let replica = replicas.all[0]
                #expect(replica.call() == 1)
                redis.pause()
                replicas.pass(.seconds(3))
                let start = MonotonicTime.system()
                #expect(replica.call() == 1)
                let first = MonotonicTime.system()
                #expect(first.since(start) < TimeSpan(RedisLedger.waitMax))
                #expect(replica.call(20) == 20)
                #expect(MonotonicTime.system().since(first) < TimeSpan(RedisLedger.waitMax))
                #expect(replica.ledger.standing.place == .away)
                redis.resume()
            }
        }

        @Test func `never more pass than the limit, over lost processes and lost memory`() throws {
            for seed in 1...4 as ClosedRange<UInt64> {
                try withRedis { redis in
                    var dice = Dice(seed: seed)
                    let limit = LimitSettings(count: [30, 400][Int(seed % 2)], window: .seconds(20))
                    let replicas = try Replicas(redis, count: 3, [limit]) { $0.fallback = .refuse }
                    var sends: [Int64] = []
                    for step in 0..<600 {
                        replicas.pass(.milliseconds(dice.roll(250)))
                        let index = dice.roll(3)
                        if step % 5 == 0 { replicas.beat() }
                        replicas.all[index].call(dice.roll(limit.count / 10))
                        replicas.all[dice.roll(3)].ask()
                        switch step {
                        case 150:
                            // Ends without a word; another one comes.
                            sends += replicas.all.remove(at: 0).sends
                            try replicas.add()
                        case 250: redis.kill()
                        case 270: try redis.restart()
                        case 450: _ = try redis.ask("FLUSHALL")
                        default: break
                        }
                    }
                    sends += replicas.all.flatMap(\.sends)
                    let most = mostSent(sends, in: limit.window)
                    #expect(most <= limit.count, "seed \(seed)")
                    #expect(sends.count >= limit.count * 2, "seed \(seed): \(sends.count)")
                }
            }
        }

        private func mostSent(_ sends: [Int64], in window: Duration) -> Int {
            let sorted = sends.sorted()
            var most = 0
            var first = 0
            for (index, send) in sorted.enumerated() {
                while sorted[first] + TimeSpan(window).microseconds <= send { first += 1 }
                most = max(most, index - first + 1)
            }
            return most
        }
    }
}
