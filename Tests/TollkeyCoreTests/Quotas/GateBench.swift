import Testing
import TollkeyCore

/// A gate and its ledger, which answers at once, on a clock that a test moves.
struct GateBench {
    enum Fate: Equatable {
        case passed
        case inLine
        case refused(QuotaRefusal)
    }

    var gate: CategoryGate
    var record = CategoryRecord()
    var holder: UInt64 = 1
    /// Nobody can ask the ledger.
    var isAway = false
    private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private(set) var contacts = 0
    /// What has become of those in line, at the last verb.
    private(set) var outcome = CategoryGate.Outcome()
    private var tickets: UInt64 = 0

    init(
        _ limits: LimitSettings..., isShared: Bool = false,
        _ change: (inout CategorySettings) -> Void = { _ in }
    ) {
        var settings = CategorySettings(name: "calls")
        settings.limits = limits
        change(&settings)
        gate = CategoryGate(
            settings, key: LedgerKey(provider: "acme", authority: "api.acme.test", category: "calls"),
            terms: LedgerTerms(isShared: isShared))
    }

    /// A call with a ticket of its own, which the ledger is asked about if need be.
    mutating func call(of caller: UInt64 = 0, patience: Duration = .zero) -> Fate {
        tickets += 1
        outcome = CategoryGate.Outcome()
        let arrival = gate.arrive(tickets, of: caller, patience: TimeSpan(patience), at: now)
        switch arrival {
        case .admitted: return .passed
        case .refused(let refusal): return .refused(refusal)
        case .inLine(insteadOf: let other):
            if let other { outcome.refused.append(other) }
        }
        settle()
        if outcome.admitted.contains(tickets) { return .passed }
        return outcome.refused.contains(tickets) ? .refused(gate.refusal(at: now)) : .inLine
    }

    /// The same, sent at once when it passes and answered.
    mutating func send(of caller: UInt64 = 0, patience: Duration = .zero) -> Fate {
        let fate = call(of: caller, patience: patience)
        if fate == .passed {
            spend()
            answer()
        }
        return fate
    }

    /// Sends a call that has passed; its permit must be good.
    mutating func spend(at location: SourceLocation = #_sourceLocation) {
        let isGood = gate.spend(at: now)
        #expect(isGood, sourceLocation: location)
        settle()
    }

    mutating func answer(
        _ status: Int? = 200, remaining: Int? = nil, resetIn: Duration? = nil, retryAfter: Duration? = nil
    ) {
        var signals = RateSignals()
        signals.remaining = remaining
        signals.resetIn = resetIn
        signals.retryAfter = retryAfter
        note(gate.answered(status, signals, at: now))
        settle()
    }

    mutating func giveBack() {
        outcome = CategoryGate.Outcome()
        note(gate.giveBack(at: now))
        settle()
    }

    /// Moves the clock, and asks the ledger whenever the gate has said that it wants to.
    mutating func pass(_ span: Duration) {
        outcome = CategoryGate.Outcome()
        let end = now + TimeSpan(span)
        while let next = gate.nextLook(at: now), next <= end {
            now = max(now, next)
            settle()
            if isAway { break }
        }
        now = end
        settle()
    }

    /// Asks the ledger until there is nothing to ask.
    mutating func settle() {
        for _ in 0..<20 {
            guard let contact = gate.look(at: now) else { return }
            contacts += 1
            guard !isAway else {
                note(gate.fail(until: now + TimeSpan(.milliseconds(100)), at: now))
                continue
            }
            note(gate.hear(record.answer(contact, of: holder, at: now.microseconds), at: now))
        }
        Issue.record("the ledger is asked without end")
    }

    private mutating func note(_ more: CategoryGate.Outcome) {
        outcome.admitted += more.admitted
        outcome.refused += more.refused
    }
}

extension LimitSettings {
    init(_ count: Int, per window: Duration) { self.init(count: count, window: window) }
}

extension QuotaRefusal {
    init(_ reason: Reason, in span: Duration, _ limit: LimitSettings? = nil) {
        self.init(reason: reason)
        retryIn = TimeSpan(span)
        self.limit = limit
    }
}
