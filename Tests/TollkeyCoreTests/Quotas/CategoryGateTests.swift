import Testing
import TollkeyCore

/// Passing, being refused and standing in line.
struct CategoryGateTests {
    private let one = LimitSettings(1, per: .seconds(10))
    private let two = LimitSettings(2, per: .seconds(10))
    private let many = LimitSettings(1_000, per: .seconds(3_600))

    @Test func `the first call waits for the ledger's word, and then passes`() {
        var bench = GateBench(many)
        #expect(
            bench.gate.arrive(9, of: 0, patience: TimeSpan(.zero), at: bench.now) == .inLine(insteadOf: nil))
        #expect(bench.gate.wantsLook(at: bench.now) == true)
        bench.settle()
        #expect(bench.outcome == .init(admitted: [9]))
        bench.spend()
    }

    @Test func `permits are held ahead, so that calls need no word`() {
        var bench = GateBench(many)
        for _ in 0..<100 { #expect(bench.send() == .passed) }
        #expect(bench.contacts < 60)
        var asked = 0
        for _ in 0..<100 {
            if bench.gate.arrive(0, of: 0, patience: TimeSpan(.zero), at: bench.now) != .admitted {
                asked += 1
            }
            bench.spend()
        }
        #expect(asked == 0)
    }

    @Test func `beyond the limit a call is told when the next one can pass`() {
        var bench = GateBench(two)
        #expect(bench.send() == .passed)
        bench.pass(.seconds(3))
        #expect(bench.send() == .passed)
        bench.pass(.seconds(1))
        for _ in 0..<3 { #expect(bench.send() == .refused(QuotaRefusal(.limit, in: .seconds(6), two))) }
        bench.pass(.milliseconds(5_999))
        #expect(bench.send() == .refused(QuotaRefusal(.limit, in: .milliseconds(1), two)))
        bench.pass(.milliseconds(1))
        #expect(bench.send() == .passed)
        #expect(bench.send() == .refused(QuotaRefusal(.limit, in: .seconds(3), two)))
    }

    @Test func `calls that are refused cost the ledger nothing`() {
        var bench = GateBench(one)
        _ = bench.send()
        _ = bench.send()
        let before = bench.contacts
        for _ in 0..<1_000 { _ = bench.send() }
        #expect(bench.contacts == before)
    }

    @Test func `of several limits the one in the way is named, and its time`() {
        let burst = LimitSettings(2, per: .seconds(1))
        let hour = LimitSettings(5, per: .seconds(3_600))
        var bench = GateBench(burst, hour)
        for _ in 0..<2 {
            #expect(bench.send() == .passed)
            #expect(bench.send() == .passed)
            #expect(bench.send() == .refused(QuotaRefusal(.limit, in: .seconds(1), burst)))
            bench.pass(.seconds(1))
        }
        #expect(bench.send() == .passed)
        #expect(bench.send() == .refused(QuotaRefusal(.limit, in: .seconds(3_598), hour)))
    }

    @Test func `without limits everything passes, once the ledger knows of no pause`() {
        var bench = GateBench()
        for _ in 0..<1_000 { #expect(bench.send() == .passed) }
        #expect(bench.contacts == 1)
    }

    @Test func `without limits nothing waits for a ledger that has never answered, until it does`() {
        var bench = GateBench()
        bench.isAway = true
        for _ in 0..<10 {
            #expect(bench.send() == .passed)
            bench.pass(.seconds(1))
        }
        bench.record.pauseEnd = bench.now.microseconds + 5_000_000
        bench.isAway = false
        #expect(bench.call() == .passed)
        bench.pass(.milliseconds(1))
        #expect(bench.call() == .refused(QuotaRefusal(.pause, in: .milliseconds(4_999))))
    }

    // MARK: Lines

    @Test func `a call with patience passes when its permit comes, and the line keeps its order`() {
        var bench = GateBench(two)
        _ = bench.send()
        bench.pass(.seconds(1))
        _ = bench.send()
        for _ in 0..<3 { #expect(bench.call(patience: .seconds(60)) == .inLine) }
        bench.pass(.milliseconds(8_999))
        #expect(bench.outcome.isEmpty)
        bench.pass(.milliseconds(1))
        #expect(bench.outcome == .init(admitted: [3]))
        bench.spend()
        bench.pass(.seconds(1))
        #expect(bench.outcome == .init(admitted: [4]))
        bench.spend()
        bench.pass(.seconds(9))
        #expect(bench.outcome == .init(admitted: [5]))
    }

    @Test func `a call that cannot pass in time is refused at once`() {
        var bench = GateBench(one)
        _ = bench.send()
        #expect(
            bench.call(patience: .milliseconds(9_999))
                == .refused(QuotaRefusal(.limit, in: .seconds(10), one)))
        #expect(bench.call(patience: .seconds(10)) == .inLine)
        bench.pass(.seconds(10))
        #expect(bench.outcome == .init(admitted: [3]))
    }

    @Test func `a call that those before it keep from passing in time is refused at once`() {
        var bench = GateBench(LimitSettings(2, per: .seconds(4)))
        for _ in 0..<2 { _ = bench.send() }
        for _ in 0..<2 { #expect(bench.call(patience: .seconds(6)) == .inLine) }
        guard case .refused = bench.call(patience: .seconds(6)) else {
            Issue.record("it stands in line")
            return
        }
        #expect(bench.call(patience: .seconds(8)) == .inLine)
        // Of another caller nobody is before it but the first of each.
        #expect(bench.call(of: 7, patience: .seconds(6)) == .inLine)
        guard case .refused = bench.call(of: 8, patience: .seconds(6)) else {
            Issue.record("it stands in line")
            return
        }
    }

    @Test func `callers come in turn, and the newest of the longest line makes room`() {
        var bench = GateBench(one) { $0.waiting = 3 }
        _ = bench.send()
        for _ in 0..<3 { #expect(bench.call(of: 7, patience: .seconds(100)) == .inLine) }
        #expect(
            bench.call(of: 7, patience: .seconds(100))
                == .refused(QuotaRefusal(.lineFull, in: .seconds(10), one)))
        #expect(bench.call(of: 8, patience: .seconds(100)) == .inLine)
        #expect(bench.outcome.refused == [4])
        var order: [UInt64] = []
        for _ in 0..<3 {
            bench.pass(.seconds(10))
            order += bench.outcome.admitted
            bench.spend()
        }
        #expect(order == [2, 6, 3])
    }

    @Test func `so many may wait and no more`() {
        var bench = GateBench(one) { $0.waiting = 2 }
        _ = bench.send()
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        #expect(
            bench.call(patience: .seconds(60)) == .refused(QuotaRefusal(.lineFull, in: .seconds(10), one)))
        bench.gate.leave(2)
        #expect(bench.call(patience: .seconds(60)) == .inLine)
    }

    @Test func `who has left is forgotten, and its permit goes to the next`() {
        var bench = GateBench(one)
        _ = bench.send()
        for _ in 0..<2 { #expect(bench.call(patience: .seconds(60)) == .inLine) }
        bench.gate.leave(2)
        bench.gate.leave(2)
        bench.pass(.seconds(10))
        #expect(bench.outcome == .init(admitted: [3]))
    }

    @Test func `a permit that is given back goes to the next, without a word with the ledger`() {
        var bench = GateBench(one)
        #expect(bench.call() == .passed)
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        let before = bench.contacts
        bench.giveBack()
        #expect(bench.outcome == .init(admitted: [2]) && bench.contacts == before)
        bench.spend()
    }

    @Test func `while all permits are promised the ledger is asked now and then, and others are refused`() {
        var bench = GateBench(one)
        #expect(bench.call() == .passed)
        guard case .refused(let refusal) = bench.call() else {
            Issue.record("it passed")
            return
        }
        #expect(refusal.reason == .limit && refusal.limit == one)
        let before = bench.contacts
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        bench.pass(.seconds(5))
        #expect(bench.contacts - before <= 205)
        bench.giveBack()
        #expect(bench.outcome.admitted == [3])
    }

    @Test func `a permit whose lease has ended is not good any more`() {
        var bench = GateBench(two)
        #expect(bench.call() == .passed)
        // Nobody could ask: the process was stopped.
        let late = bench.now + TimeSpan(.seconds(2))
        let last = MonotonicTime(nanoseconds: late.nanoseconds - 1)
        var inTime = bench.gate
        #expect(inTime.spend(at: last) == true)
        #expect(bench.gate.spend(at: late) == false)
    }

    @Test func `a permit that waits long for its use stays good`() {
        var bench = GateBench(two)
        #expect(bench.call() == .passed)
        bench.pass(.seconds(100))
        bench.spend()
    }

    // MARK: The ledger

    @Test func `a ledger that is away refuses, and who has patience waits for it`() {
        var bench = GateBench(two)
        bench.isAway = true
        #expect(bench.call() == .refused(QuotaRefusal(.ledgerAway, in: .milliseconds(100), two)))
        #expect(bench.call(patience: .seconds(5)) == .inLine)
        bench.isAway = false
        bench.pass(.milliseconds(100))
        #expect(bench.outcome.admitted == [2])
    }

    @Test
    func `who has waited in vain for the ledger's word is told so, and who finds too many waiting for it`() {
        var gate = GateBench(two).gate
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        for ticket in 1...UInt64(CategoryGate.askingMax) {
            #expect(
                gate.arrive(ticket, of: 0, patience: TimeSpan(.zero), at: now) == .inLine(insteadOf: nil))
        }
        let silence = QuotaRefusal(.ledgerAway, in: .zero, two)
        #expect(gate.arrive(.max, of: 0, patience: TimeSpan(.zero), at: now) == .refused(silence))
        gate.leave(1)
        #expect(gate.refusal(at: now) == silence)
    }

    @Test func `what is held passes while the ledger is away`() {
        var bench = GateBench(many)
        for _ in 0..<10 { _ = bench.send() }
        bench.isAway = true
        var passed = 0
        while bench.call() == .passed {
            passed += 1
            bench.spend()
        }
        #expect((2...6).contains(passed))
        bench.isAway = false
        bench.pass(.milliseconds(100))
        #expect(bench.send() == .passed)
        bench.pass(.seconds(600))
        #expect(bench.record.limits[0].total == 11 + passed)
    }

    @Test func `an answer of the ledger's that was lost counts nothing twice`() throws {
        var bench = GateBench(LimitSettings(5, per: .seconds(10)))
        #expect(bench.call() == .passed)
        // Used, and told; the ledger hears it, and its answer does not come.
        _ = bench.gate.spend(at: bench.now)
        bench.pass(.milliseconds(1))
        _ = bench.gate.arrive(100, of: 0, patience: TimeSpan(.zero), at: bench.now)
        if let contact = bench.gate.look(at: bench.now) {
            _ = bench.record.answer(contact, of: 1, at: bench.now.microseconds)
            _ = bench.gate.fail(until: bench.now, at: bench.now)
        }
        bench.settle()
        var passed = 0
        while bench.send() == .passed { passed += 1 }
        #expect(passed + bench.outcome.admitted.count >= 3)
        #expect(bench.record.limits[0].uses.reduce(0) { $0 + $1.count } <= 5)
    }

    @Test func `a farewell gives back what is not used, and tells what is`() throws {
        var bench = GateBench(many)
        for _ in 0..<3 { _ = bench.send() }
        #expect(bench.record.limits[0].total > 3)
        let said = bench.gate.farewell(at: bench.now)
        let farewell = try #require(said)
        _ = bench.record.answer(farewell, of: 1, at: bench.now.microseconds)
        #expect(bench.record.limits[0].total == 3)
    }
}
