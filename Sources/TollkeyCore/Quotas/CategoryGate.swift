/// Where the calls of one category pass, one by one, as its limits and its provider allow: one process's side.
///
/// Takes permits from a lease; the ledger is asked for the next one before it is used up. Decides only: who owns it
/// asks the ledger, tells the calls, and brings the time.
package struct CategoryGate: Sendable {
    package enum Arrival: Sendable, Equatable {
        /// The call has a permit, which it must `spend` or `giveBack`.
        case admitted
        /// It stands in line, perhaps in the place of another one, which is refused.
        case inLine(insteadOf: UInt64?)
        case refused(QuotaRefusal)
    }

    /// What has become of calls that stood in line.
    package struct Outcome: Sendable, Equatable {
        package var admitted: [UInt64] = []
        package var refused: [UInt64] = []
        package init(admitted: [UInt64] = [], refused: [UInt64] = []) {
            self.admitted = admitted
            self.refused = refused
        }
        package var isEmpty: Bool { admitted.isEmpty && refused.isEmpty }
    }

    package let settings: CategorySettings
    package let key: LedgerKey
    package var terms: LedgerTerms
    var allowances: [Allowance]
    /// Calls that have a permit and are not sent.
    private(set) var promised = 0
    /// Calls that are sent and not answered.
    private(set) var sent = 0
    private(set) var pause = ProviderPause()

    /// Those that wait for the ledger's word: nobody knows yet whether there is anything.
    private var asking = FairQueue<UInt64>(capacity: CategoryGate.askingMax)
    /// Those that wait for permits to come.
    private var waiting: FairQueue<UInt64>
    /// All that stand in one of the two lines.
    private var standing: [UInt64: Standing] = [:]

    private struct Standing: Sendable {
        let caller: UInt64
        /// How long it would wait.
        let end: MonotonicTime
    }
    private enum Line { case asking, waiting }
    /// Nobody in line would give up before.
    private var longestBlock = MonotonicTime.past
    private static let blockStep = TimeSpan(nanoseconds: 1_000_000_000)

    private var isAsking = false
    /// When the ledger last answered.
    private var heard: MonotonicTime?
    private var turn: Int64 = 0
    /// Which of the ledger's memories it last heard of.
    private var era: UInt64 = 0
    /// When whoever asks the ledger looks again.
    private var planned = MonotonicTime.never
    /// A call has arrived since the ledger was last asked.
    private var isUsed = false
    /// Somebody wants to know how it stands.
    private var isInquired = false
    /// Permits to hold beyond what is asked for.
    private var ahead = 0
    /// The ledger cannot be asked before.
    private var ledgerAwayUntil = MonotonicTime.past

    /// Calls that may wait for the ledger's word.
    package static let askingMax = 16_384

    package init(_ settings: CategorySettings, key: LedgerKey, terms: LedgerTerms) {
        self.settings = settings
        self.key = key
        self.terms = terms
        allowances = settings.limits.map { Allowance($0) }
        waiting = FairQueue(capacity: settings.waiting)
    }

    // MARK: A call

    /// `patience`: how long the call would stand in line; zero: not at all. `caller`: who shares a place in the
    /// rotation.
    package mutating func arrive(
        _ ticket: UInt64, of caller: @autoclosure () -> UInt64, patience: TimeSpan, at now: MonotonicTime
    ) -> Arrival {
        isUsed = true
        let block = block(at: now)
        if block == nil, waiting.count == 0 {
            if asking.count == 0, hasPermit(at: now) {
                promised += 1
                return .admitted
            }
            return enter(.asking, ticket, Standing(caller: caller(), end: now + patience), at: now)
        }
        guard patience.nanoseconds > 0 else { return .refused(refusal(at: now)) }
        let place = Standing(caller: caller(), end: now + patience)
        guard isInTime(place, from: block?.until ?? now) else { return .refused(refusal(at: now)) }
        return enter(.waiting, ticket, place, at: now)
    }

    /// Whether a call that comes behind those in line could pass before it gives up, when the first one passes at
    /// `time`: in a window of each limit no more pass than the limit.
    private func isInTime(_ place: Standing, from time: MonotonicTime) -> Bool {
        guard time <= place.end else { return false }
        let span = place.end.since(time).nanoseconds
        let ahead = waiting.turnsAhead(of: place.caller)
        return allowances.allSatisfy { allowance in
            Int64(ahead / allowance.limit.count) <= span / TimeSpan(allowance.limit.window).nanoseconds
        }
    }

    private mutating func enter(
        _ line: Line, _ ticket: UInt64, _ place: Standing, at now: MonotonicTime
    ) -> Arrival {
        let entry =
            switch line {
            case .asking: asking.enter(ticket, of: place.caller)
            case .waiting: waiting.enter(ticket, of: place.caller)
            }
        switch entry {
        case .entered:
            standing[ticket] = place
            return .inLine(insteadOf: nil)
        case .enteredInPlaceOf(ticket: let other):
            standing[other] = nil
            standing[ticket] = place
            return .inLine(insteadOf: other)
        case .full:
            var refusal = refusal(at: now)
            refusal.reason = line == .waiting ? .lineFull : .ledgerAway
            return .refused(refusal)
        }
    }

    /// The call with a permit is being sent. False: its permit is not good any more, and it must arrive anew.
    package mutating func spend(at now: MonotonicTime) -> Bool {
        promised -= 1
        guard !pause.isOn(at: now), allowances.allSatisfy({ $0.isGood(at: now) }) else { return false }
        for index in allowances.indices { allowances[index].use(at: now) }
        sent += 1
        return true
    }

    /// The call with a permit will not be sent.
    package mutating func giveBack(at now: MonotonicTime) -> Outcome {
        promised -= 1
        return serve(at: now)
    }

    /// The call in line has gone.
    package mutating func leave(_ ticket: UInt64) {
        guard standing.removeValue(forKey: ticket) != nil else { return }
        if !asking.remove(ticket) { _ = waiting.remove(ticket) }
    }

    /// A call that was sent is over: with what its answer's head says, or without an answer.
    package mutating func answered(
        _ status: Int?, _ signals: RateSignals?, at now: MonotonicTime
    ) -> Outcome {
        sent -= 1
        pause.note(status, signals, max: TimeSpan(settings.retryAfterMax), at: now)
        return serve(at: now)
    }

    // MARK: What stands in the way

    private func hasPermit(at now: MonotonicTime) -> Bool {
        // Where there is no limit, the ledger knows of pauses only, and need not be waited for when it is away.
        guard heard != nil || allowances.isEmpty && ledgerAwayUntil > .past else { return false }
        return allowances.allSatisfy { $0.held > promised && now < $0.end }
    }

    /// Until when nobody passes, as far as is known; nil when nothing is known to stand in the way.
    private func block(at now: MonotonicTime) -> (until: MonotonicTime, reason: QuotaRefusal.Reason)? {
        if pause.isOn(at: now) { return (pause.end, .pause) }
        if ledgerAwayUntil > now, !hasPermit(at: now) { return (ledgerAwayUntil, .ledgerAway) }
        if let left = pause.left(sent: sent + promised, at: now), left <= 0 {
            return (sent + promised > 0 ? now : pause.ceilingEnd, .pause)
        }
        var block: (until: MonotonicTime, reason: QuotaRefusal.Reason)?
        for allowance in allowances where allowance.emptyUntil > now && allowance.held <= promised {
            if allowance.emptyUntil > block?.until ?? .past { block = (allowance.emptyUntil, .limit) }
        }
        return block
    }

    /// What a call that is refused now is told.
    package func refusal(at now: MonotonicTime) -> QuotaRefusal {
        let block = block(at: now)
        var until = block?.until ?? now
        // With nothing in the way, and nobody before it, only the ledger's word is missing.
        var refusal = QuotaRefusal(reason: block?.reason ?? (waiting.count > 0 ? .limit : .ledgerAway))
        // Of a limit that is not reached nothing is held either, where another one is in the way.
        let short = allowances.filter { $0.held <= promised }
        let binding = short.filter { $0.emptyUntil > now }.max { $0.resets < $1.resets }
        if let binding, refusal.reason == .limit { until = max(until, binding.resets) }
        refusal.limit = (binding ?? short.first ?? allowances.first)?.limit
        refusal.retryIn = until.since(now)
        return refusal
    }

    // MARK: Lines

    /// Who can pass now does; who cannot pass in time is told so.
    private mutating func serve(at now: MonotonicTime) -> Outcome {
        var outcome = Outcome()
        while asking.count + waiting.count > 0, block(at: now) == nil, hasPermit(at: now) {
            guard let ticket = asking.next() ?? waiting.next() else { break }
            standing[ticket] = nil
            promised += 1
            outcome.admitted.append(ticket)
        }
        guard let block = block(at: now) else { return outcome }
        // Who had waited for the ledger's word, and has patience, stands in line now.
        while let ticket = asking.next() {
            guard let place = standing.removeValue(forKey: ticket) else { continue }
            guard place.end > now, isInTime(place, from: block.until) else {
                outcome.refused.append(ticket)
                continue
            }
            switch enter(.waiting, ticket, place, at: now) {
            case .admitted, .inLine(insteadOf: nil): break
            case .inLine(insteadOf: let other?): outcome.refused.append(other)
            case .refused: outcome.refused.append(ticket)
            }
        }
        // Not each time that it moves on a little: who gives up by itself soon need not be told.
        if block.until > longestBlock + Self.blockStep {
            longestBlock = block.until
            let vain = standing.filter { $0.value.end < block.until }.map(\.key)
            for ticket in vain { leave(ticket) }
            outcome.refused += vain
        }
        outcome.refused.sort()
        return outcome
    }
}

// MARK: The ledger

extension CategoryGate {
    /// Whether who asks the ledger must be told to `look`, sooner than it means to.
    package mutating func wantsLook(at now: MonotonicTime) -> Bool {
        guard !isAsking else { return false }
        let time = lookTime(at: now)
        guard time < planned else { return false }
        planned = time
        return true
    }

    /// What the ledger is to be asked now, if anything. Ended by `hear` or `fail`.
    package mutating func look(at now: MonotonicTime) -> LedgerContact? {
        guard !isAsking, lookTime(at: now) <= now else { return nil }
        let inLine = block(at: now) == nil ? asking.count + waiting.count : 0
        let isActive = inLine > 0 || allowances.contains { $0.hasNews }
        let wanted = promised + inLine + (isActive ? ahead : 0)
        isAsking = true
        isInquired = false
        isUsed = false
        turn += 1
        var limits: [LimitContact] = []
        for index in allowances.indices {
            let life = terms.life(allowances[index].limit)
            limits.append(allowances[index].ask(wanted: wanted, life: life, at: now))
        }
        var contact = LedgerContact(key: key, turn: turn, limits: limits)
        contact.era = era
        contact.pause = pause.say(at: now)
        return contact
    }

    /// The last contact: what was used is told, the rest given back. nil when there is nothing to say.
    package mutating func farewell(at now: MonotonicTime) -> LedgerContact? {
        guard pause.isUnsaid || allowances.contains(where: { $0.hasNews || $0.held > 0 }) else { return nil }
        turn += 1
        var contact = LedgerContact(key: key, turn: turn, limits: [])
        contact.era = era
        for index in allowances.indices {
            contact.limits.append(
                allowances[index].ask(wanted: 0, life: TimeSpan(nanoseconds: 0), at: now))
        }
        contact.pause = pause.say(at: now)
        return contact
    }

    package mutating func hear(_ reply: LedgerReply, at now: MonotonicTime) -> Outcome {
        isAsking = false
        heard = now
        if reply.isRecorded { era = reply.era }
        var isExplained = true
        for (index, limit) in reply.limits.enumerated() where index < allowances.count {
            let isOwn = allowances[index].hear(
                limit, isRecorded: reply.isRecorded, life: terms.life(allowances[index].limit), at: now)
            isExplained = isExplained && isOwn
        }
        // It serves as many processes as it can: it is not asked again at once.
        if !isExplained, allowances.allSatisfy({ $0.emptyUntil <= now }) {
            ledgerAwayUntil = now + Self.pauseSpan
        }
        ahead = allowances.map { terms.ahead($0.limit, holders: $0.holders) }.min() ?? 0
        pause.hear(reply.pause, at: now)
        return serve(at: now)
    }

    /// The ledger could not be asked, and will not be before `retry`.
    package mutating func fail(until retry: MonotonicTime, at now: MonotonicTime) -> Outcome {
        isAsking = false
        ledgerAwayUntil = retry
        for index in allowances.indices { allowances[index].fail() }
        pause.unsay(at: now)
        return serve(at: now)
    }

    /// When `look` is to be called again without being told; nil when it need not be.
    package mutating func nextLook(at now: MonotonicTime) -> MonotonicTime? {
        planned = lookTime(at: now)
        return planned < .never ? planned : nil
    }

    /// Something is to be asked now that nobody could foresee, as soon as the ledger can be asked.
    private func isDue(at now: MonotonicTime) -> Bool {
        asking.count > 0 || pause.isUnsaid || isShort(at: now) || isUsed && heard == nil
    }

    /// Permits run low, and there may be more.
    private func isShort(at now: MonotonicTime) -> Bool {
        guard ahead > 0 else { return false }
        for allowance in allowances
        where allowance.held - promised <= ahead / 2 && allowance.hasNews && allowance.emptyUntil <= now {
            return true
        }
        return false
    }

    /// When the ledger is to be asked something.
    private func lookTime(at now: MonotonicTime) -> MonotonicTime {
        if isInquired || isDue(at: now) { return ledgerAwayUntil }
        var next = MonotonicTime.never
        if waiting.count > 0 {
            next = block(at: now)?.until ?? .past
            // Answers that are under way decide, of which the ledger knows nothing.
            if next == now { next = pause.ceilingEnd }
        }
        for allowance in allowances {
            next = min(next, allowance.lookTime(life: terms.life(allowance.limit)))
        }
        if isUsed, terms.isShared, let heard { next = min(next, heard + Self.pauseSpan) }
        return max(next, ledgerAwayUntil)
    }

    /// For an operator: has the ledger asked for how it stands, unless it has just said so.
    package mutating func inquire(at now: MonotonicTime) {
        if heard.map({ now >= $0 + Self.figuresAge }) ?? true { isInquired = true }
    }

    package struct Figures: Sendable, Equatable {
        package struct Limit: Sendable, Equatable {
            package var limit: LimitSettings
            /// Calls that could pass now, as far as is known.
            package var remaining: Int
            /// Until the first of what is spent counts no more; zero when nothing is.
            package var resetsIn: TimeSpan
        }
        package var limits: [Limit]
        /// Until the provider's pause ends; zero when there is none.
        package var pause: TimeSpan
        package var waiting: Int
    }

    /// As it last knew, where others draw on the same limits.
    package func figures(at now: MonotonicTime) -> Figures {
        Figures(
            limits: allowances.map { allowance in
                Figures.Limit(
                    limit: allowance.limit, remaining: max(0, allowance.remaining - promised),
                    resetsIn: allowance.resets.since(now))
            }, pause: pause.end.since(now), waiting: standing.count)
    }

    private static let figuresAge = TimeSpan(nanoseconds: 1_000_000_000)

    /// How long a pause of another process may go unnoticed where there is no limit, and how long a ledger is left
    /// alone that gives nothing without a reason.
    private static let pauseSpan = TimeSpan(nanoseconds: 1_000_000_000)
}
