import Testing
import TollkeyCore

/// What the provider says about its limit.
struct CategoryGatePauseTests {
    private let hour = LimitSettings(1_000, per: .seconds(3_600))

    private func paused(_ span: Duration) -> GateBench.Fate { .refused(QuotaRefusal(.pause, in: span, hour)) }

    @Test func `a 429 pauses everybody for as long as it says`() {
        var bench = GateBench(hour)
        #expect(bench.call() == .passed)
        bench.spend()
        bench.answer(429, retryAfter: .seconds(7))
        #expect(bench.send() == paused(.seconds(7)))
        bench.pass(.milliseconds(6_999))
        #expect(bench.send(of: 5) == paused(.milliseconds(1)))
        bench.pass(.milliseconds(1))
        #expect(bench.send() == .passed)
    }

    @Test func `a permit from before the pause is not good in it`() {
        var bench = GateBench(hour)
        #expect(bench.call() == .passed)
        #expect(bench.call() == .passed)
        bench.spend()
        bench.answer(429, retryAfter: .seconds(7))
        #expect(bench.gate.spend(at: bench.now) == false)
    }

    @Test func `the ledger hears of a pause, and a process that begins hears of it from the ledger`() {
        var bench = GateBench(hour)
        _ = bench.call()
        bench.spend()
        bench.answer(429, retryAfter: .seconds(7))
        #expect(bench.record.pauseEnd == bench.now.microseconds + 7_000_000)
        var other = GateBench(hour)
        other.record = bench.record
        other.holder = 2
        other.pass(.seconds(2))
        #expect(other.send() == paused(.seconds(5)))
        other.pass(.seconds(5))
        #expect(other.send() == .passed)
    }

    @Test func `a pause that the ledger did not hear is told again`() {
        var bench = GateBench(hour)
        _ = bench.call()
        bench.spend()
        bench.isAway = true
        bench.answer(429, retryAfter: .seconds(7))
        #expect(bench.record.pauseEnd == 0)
        bench.isAway = false
        bench.pass(.seconds(1))
        #expect(bench.record.pauseEnd == bench.now.microseconds + 6_000_000)
    }

    @Test func `a pause that the ledger did not hear is told again, also where there is nothing else to say`()
    {
        var bench = GateBench()
        _ = bench.call()
        bench.spend()
        bench.isAway = true
        bench.answer(429, retryAfter: .seconds(7))
        bench.isAway = false
        bench.pass(.milliseconds(100))
        #expect(bench.record.pauseEnd == bench.now.microseconds + 6_900_000)
    }

    @Test func `calls in line wait for the pause's end, if they have the patience`() {
        var bench = GateBench(LimitSettings(1, per: .seconds(1)))
        _ = bench.call()
        #expect(bench.call(patience: .seconds(30)) == .inLine)
        #expect(bench.call(patience: .seconds(2)) == .inLine)
        bench.spend()
        bench.answer(429, retryAfter: .seconds(7))
        bench.pass(.milliseconds(6_999))
        #expect(bench.outcome.admitted.isEmpty)
        bench.gate.leave(3)
        bench.pass(.milliseconds(1))
        #expect(bench.outcome.admitted == [2])
    }

    @Test func `a 429 that says no time pauses for longer each time, until an answer is another`() {
        var bench = GateBench(hour)
        for _ in 0..<2 {
            for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
                #expect(bench.call() == .passed)
                bench.spend()
                bench.answer(429)
                #expect(bench.send() == paused(.seconds(seconds)))
                bench.pass(.seconds(seconds))
            }
            #expect(bench.send() == .passed)
        }
    }

    @Test func `a 429 that asks for less pauses as one that says no time`() {
        for (retryAfter, reset) in [(0, nil), (nil, 0), (1, nil), (0, 1)] as [(Int64?, Int64?)] {
            var bench = GateBench(hour)
            for seconds in [1, 2, 4, 8] {
                #expect(bench.call() == .passed)
                bench.spend()
                bench.answer(
                    429, resetIn: reset.map { .seconds($0) }, retryAfter: retryAfter.map { .seconds($0) })
                #expect(bench.send() == paused(.seconds(seconds)))
                bench.pass(.seconds(seconds))
            }
        }
    }

    @Test func `a Retry-After that is over leaves the reset`() {
        var bench = underWay(1)
        bench.answer(429, resetIn: .seconds(20), retryAfter: .zero)
        #expect(bench.send() == paused(.seconds(20)))
    }

    @Test func `429s of calls that were under way together are one`() {
        var bench = underWay(5)
        for _ in 0..<4 { bench.answer(429) }
        bench.pass(.milliseconds(500))
        bench.answer(429)
        #expect(bench.send() == paused(.seconds(1)))
        bench.pass(.seconds(1))
        #expect(bench.call() == .passed)
        bench.spend()
        bench.answer(429)
        #expect(bench.send() == paused(.seconds(2)))
    }

    @Test func `a 429 may say its time as a reset`() {
        var bench = GateBench(hour)
        _ = bench.call()
        bench.spend()
        bench.answer(429, remaining: 0, resetIn: .seconds(20))
        #expect(bench.send() == paused(.seconds(20)))
    }

    @Test func `no pause is longer than retry_after_max`() {
        for (status, remaining, retryAfter) in [(429, nil, 7_200), (200, 0, nil)] as [(Int, Int?, Int64?)] {
            var bench = GateBench(hour) { $0.retryAfterMax = .seconds(60) }
            _ = bench.call()
            bench.spend()
            bench.answer(
                status, remaining: remaining, resetIn: remaining.map { _ in .seconds(7_200) },
                retryAfter: retryAfter.map { .seconds($0) })
            #expect(bench.send() == paused(.seconds(60)))
        }
    }

    @Test func `what is over at retry_after_max does not come back behind it`() {
        for (status, retryAfter) in [(200, nil), (429, nil), (429, 7_200)] as [(Int, Int64?)] {
            var bench = GateBench(hour) { $0.retryAfterMax = .seconds(2) }
            _ = bench.call()
            bench.spend()
            bench.answer(
                status, remaining: 0, resetIn: .seconds(600), retryAfter: retryAfter.map { .seconds($0) })
            #expect(bench.send() == paused(.seconds(2)))
            #expect(bench.record.pauseEnd == bench.now.microseconds + 2_000_000)
            bench.pass(.seconds(2))
            #expect(bench.send() == .passed, "\(status)")
        }
    }

    @Test func `of a 429 Retry-After comes before what else it says, and before what others said`() {
        var bench = underWay(2)
        bench.answer(remaining: 0, resetIn: .seconds(3))
        bench.answer(429, remaining: 0, resetIn: .seconds(600), retryAfter: .seconds(5))
        #expect(bench.send() == paused(.seconds(5)))
        bench.pass(.seconds(5))
        #expect(bench.send() == .passed)
    }

    @Test func `Retry-After of another status is no pause of the category's`() {
        var bench = GateBench(hour)
        _ = bench.call()
        bench.spend()
        bench.answer(503, retryAfter: .seconds(30))
        #expect(bench.send() == .passed)
    }

    // MARK: What remains

    /// `count` calls under way.
    private func underWay(_ count: Int) -> GateBench {
        var bench = GateBench(hour)
        for _ in 0..<count {
            #expect(bench.call() == .passed)
            bench.spend()
        }
        return bench
    }

    @Test func `nothing remaining pauses until the reset`() {
        var bench = underWay(1)
        bench.answer(remaining: 0, resetIn: .seconds(90))
        #expect(bench.send() == paused(.seconds(90)))
        bench.pass(.seconds(90))
        #expect(bench.send() == .passed)
    }

    @Test func `fewer remaining than ours is believed`() {
        var bench = underWay(1)
        bench.answer(remaining: 2, resetIn: .seconds(90))
        for _ in 0..<2 {
            #expect(bench.call() == .passed)
            bench.spend()
        }
        guard case .refused(let refusal) = bench.call() else {
            Issue.record("three passed")
            return
        }
        #expect(refusal.reason == .pause)
        bench.answer(remaining: 1, resetIn: .seconds(90))
        bench.answer(remaining: 0, resetIn: .seconds(90))
        #expect(bench.send() == paused(.seconds(90)))
        bench.pass(.seconds(90))
        #expect(bench.send() == .passed)
    }

    @Test func `answers that overtake one another do not raise what remains`() {
        var bench = underWay(3)
        bench.answer(remaining: 1, resetIn: .seconds(90))
        bench.answer(remaining: 3, resetIn: .seconds(90))
        bench.answer(remaining: 2, resetIn: .seconds(90))
        #expect(bench.send() == .passed)
        guard case .refused = bench.send() else {
            Issue.record("two passed")
            return
        }
    }

    @Test func `an answer that was lost may have counted`() {
        var bench = underWay(2)
        bench.answer(remaining: 2, resetIn: .seconds(90))
        bench.answer(nil)
        #expect(bench.call() == .passed)
        bench.spend()
        guard case .refused = bench.call() else {
            Issue.record("two passed")
            return
        }
    }

    @Test func `the next window has its own count`() {
        var bench = underWay(1)
        bench.answer(remaining: 1, resetIn: .seconds(90))
        bench.pass(.seconds(91))
        #expect(bench.call() == .passed)
        bench.spend()
        bench.answer(remaining: 5, resetIn: .seconds(90))
        for _ in 0..<5 {
            #expect(bench.call() == .passed)
            bench.spend()
        }
        #expect(bench.call() != .passed)
    }

    @Test func `one low count does not stay, where the reset moves on with each answer`() {
        for reset in [Duration.seconds(1), .seconds(2), .seconds(3_600)] {
            var bench = underWay(1)
            bench.answer(remaining: 1, resetIn: reset)
            for _ in 0..<20 {
                bench.pass(.milliseconds(250))
                #expect(bench.call() == .passed)
                bench.spend()
                bench.answer(remaining: 5, resetIn: reset)
            }
            for _ in 0..<5 {
                #expect(bench.call() == .passed, "\(reset)")
                bench.spend()
            }
            #expect(bench.call() != .passed)
        }
    }

    @Test func `calls in line wait for what is under way, and the ledger is left alone`() {
        var bench = underWay(2)
        bench.answer(remaining: 1, resetIn: .seconds(90))
        let before = bench.contacts
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        bench.pass(.seconds(5))
        #expect(bench.contacts - before <= 2)
        bench.answer(remaining: 1, resetIn: .seconds(85))
        #expect(bench.outcome.admitted.count == 1)
    }
}
