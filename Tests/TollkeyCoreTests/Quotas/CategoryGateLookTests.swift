import Testing
import TollkeyCore

/// Who asks the ledger looks only when the gate has said so: nobody must be left standing for that, and no ledger be
/// asked in vain without end.
struct CategoryGateLookTests {
    /// A gate, and somebody who asks its ledger as `LedgerClerk` does.
    private struct Watch {
        var gate: CategoryGate
        var record = CategoryRecord()
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        var isAway = false
        var standing: Set<UInt64> = []
        var promised = 0
        var sent = 0
        private(set) var looks = 0
        private var isWoken = false
        private var plan: MonotonicTime?
        private var asked: LedgerContact?
        private var tickets: UInt64 = 0

        init(_ settings: CategorySettings, isShared: Bool) {
            gate = CategoryGate(
                settings, key: LedgerKey(provider: "acme", authority: "a", category: "c"),
                terms: LedgerTerms(isShared: isShared))
        }

        mutating func arrive(of caller: UInt64, patience: TimeSpan) {
            tickets += 1
            switch gate.arrive(tickets, of: caller, patience: patience, at: now) {
            case .admitted: promised += 1
            case .inLine(insteadOf: let other):
                standing.insert(tickets)
                if let other { standing.remove(other) }
            case .refused: break
            }
            note(CategoryGate.Outcome())
        }

        mutating func note(_ outcome: CategoryGate.Outcome) {
            for ticket in outcome.admitted {
                #expect(standing.remove(ticket) != nil)
                promised += 1
            }
            for ticket in outcome.refused { #expect(standing.remove(ticket) != nil) }
            if gate.wantsLook(at: now) { isWoken = true }
        }

        mutating func spend() {
            promised -= 1
            if gate.spend(at: now) { sent += 1 }
            note(CategoryGate.Outcome())
        }

        mutating func answer(_ status: Int?, _ signals: RateSignals?) {
            sent -= 1
            note(gate.answered(status, signals, at: now))
        }

        /// One step of whoever asks the ledger: begins to ask, or ends it.
        mutating func turn() {
            if let contact = asked {
                asked = nil
                if isAway {
                    note(gate.fail(until: now + TimeSpan(.milliseconds(100)), at: now))
                } else {
                    note(gate.hear(record.answer(contact, of: 1, at: now.microseconds), at: now))
                }
                plan = gate.nextLook(at: now)
            } else if isWoken || plan.map({ $0 <= now }) ?? false {
                isWoken = false
                plan = nil
                asked = gate.look(at: now)
                if asked == nil { plan = gate.nextLook(at: now) } else { looks += 1 }
            }
        }

        /// When there is something to do without anybody's doing.
        var next: MonotonicTime? { asked != nil || isWoken ? now : plan }
    }

    private func settings(_ dice: inout Dice) -> CategorySettings {
        var settings = CategorySettings(name: "calls")
        for _ in 0..<Int.random(in: 0...2, using: &dice) {
            settings.limits.append(
                LimitSettings(
                    Int.random(in: 1...[3, 30, 3_000].randomElement(using: &dice)!, using: &dice),
                    per: .seconds(Int64.random(in: 1...60, using: &dice))))
        }
        settings.limits = settings.limits.reduce(into: []) { all, one in
            if !all.contains(where: { $0.window == one.window }) { all.append(one) }
        }
        settings.waiting = Int.random(in: 0...20, using: &dice)
        return settings
    }

    private func signals(_ dice: inout Dice) -> RateSignals? {
        guard Int.random(in: 0..<8, using: &dice) == 0 else { return nil }
        var signals = RateSignals()
        signals.remaining = Bool.random(using: &dice) ? Int.random(in: 0...5, using: &dice) : nil
        signals.resetIn = Bool.random(using: &dice) ? .seconds(Int64.random(in: 0...30, using: &dice)) : nil
        signals.retryAfter =
            Bool.random(using: &dice) ? .seconds(Int64.random(in: 0...30, using: &dice)) : nil
        return signals
    }

    @Test func `whatever happens, nobody is left standing, and the ledger is not asked without end`() {
        for seed in 1...400 as ClosedRange<UInt64> {
            var dice = Dice(seed: seed)
            var watch = Watch(settings(&dice), isShared: Bool.random(using: &dice))
            let patience: [TimeSpan] = [0, 1, 100_000].map { TimeSpan(.seconds($0)) }
            for _ in 0..<300 {
                switch Int.random(in: 0..<10, using: &dice) {
                case 0...3:
                    watch.arrive(
                        of: UInt64.random(in: 0...2, using: &dice),
                        patience: patience.randomElement(using: &dice)!)
                case 4: if watch.promised > 0 { watch.spend() }
                case 5:
                    if watch.promised > 0 {
                        watch.promised -= 1
                        watch.note(watch.gate.giveBack(at: watch.now))
                    }
                case 6:
                    let status = [200, 200, 200, 500, 429, nil].randomElement(using: &dice)!
                    if watch.sent > 0 { watch.answer(status, signals(&dice)) }
                case 7:
                    if let ticket = watch.standing.sorted().randomElement(using: &dice) {
                        watch.standing.remove(ticket)
                        watch.gate.leave(ticket)
                    }
                case 8: watch.isAway = Int.random(in: 0..<4, using: &dice) == 0
                default:
                    watch.now = watch.now + TimeSpan(.milliseconds(Int64.random(in: 0...900, using: &dice)))
                }
                if Bool.random(using: &dice) { watch.turn() }
            }
            watch.isAway = false
            if let trouble = drained(&watch) {
                Issue.record("seed \(seed): \(trouble)")
                return
            }
        }
    }

    /// Lets the calls go on until nobody stands in line; what is wrong, if anything is.
    private func drained(_ watch: inout Watch) -> String? {
        var looksAtOnce = 0
        let start = watch.now
        for _ in 0..<20_000 {
            while watch.promised > 0 { watch.spend() }
            while watch.sent > 0 { watch.answer(200, nil) }
            if watch.standing.isEmpty { return nil }
            guard let next = watch.next else {
                return "\(watch.standing.count) stand in line, and nobody will look"
            }
            if next > watch.now {
                (watch.now, looksAtOnce) = (next, 0)
            }
            let before = watch.looks
            watch.turn()
            looksAtOnce += watch.looks - before
            if looksAtOnce > 60 { return "the ledger is asked without end" }
            // A minute for each of the line's places, and the longest pause.
            if watch.now.since(start) > TimeSpan(.seconds(4_000)) { return "somebody stands for ever" }
        }
        return "it does not end"
    }

    @Test func `while nothing changes, nobody is told to look`() {
        var bench = GateBench(LimitSettings(1_000, per: .seconds(3_600)))
        for _ in 0..<5 { _ = bench.send() }
        bench.pass(.seconds(60))
        #expect(bench.gate.nextLook(at: bench.now) == nil)
        #expect(bench.gate.wantsLook(at: bench.now) == false)
        let before = bench.contacts
        bench.pass(.seconds(36_000))
        #expect(bench.contacts == before)
    }

    @Test func `a ledger that gives nothing without a reason is asked once a second, and calls are told`() {
        var bench = GateBench(LimitSettings(5_000, per: .seconds(3_600)))
        for holder in 100..<(100 + UInt64(LimitRecord.holdersMax)) {
            var part = LimitContact(limit: LimitSettings(5_000, per: .seconds(3_600)))
            (part.wanted, part.life) = (1, 3_600_000_000)
            let contact = LedgerContact(key: bench.gate.key, turn: 1, limits: [part])
            _ = bench.record.answer(contact, of: holder, at: bench.now.microseconds)
        }
        guard case .refused(let refusal) = bench.call() else {
            Issue.record("it passed")
            return
        }
        #expect(refusal.reason == .ledgerAway && refusal.retryIn == TimeSpan(.seconds(1)))
        let before = bench.contacts
        #expect(bench.call(patience: .seconds(60)) == .inLine)
        bench.pass(.seconds(10))
        #expect((9...11).contains(bench.contacts - before))
    }

    @Test func `where a ledger is shared, a category without limits asks it for pauses while it is used`() {
        var bench = GateBench(isShared: true)
        for _ in 0..<1_000 {
            #expect(bench.send() == .passed)
            bench.pass(.milliseconds(10))
        }
        #expect((9...11).contains(bench.contacts))
        bench.pass(.seconds(100))
        let before = bench.contacts
        bench.pass(.seconds(100))
        #expect(bench.contacts == before)
    }
}
