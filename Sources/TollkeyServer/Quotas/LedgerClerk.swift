import Logging
import Synchronization
import TollkeyCore

/// Asks the ledger for all gates, on a thread of its own: what has come together meanwhile is asked at once.
package final class LedgerClerk: Sendable {
    private struct State {
        /// When each gate is to be looked at without being told.
        var plans: [ObjectIdentifier: (gate: QuotaGate, time: MonotonicTime)] = [:]
        /// Since when it cannot be asked, and why.
        var absence: (since: MonotonicTime, reason: String)?
        /// Those whose records cannot be used.
        var damaged: Set<ObjectIdentifier> = []
        /// Until when those pauses last that have been logged.
        var pauses: [ObjectIdentifier: MonotonicTime] = [:]
    }
    private let state = Mutex(State())
    private let woken = Mutex<[QuotaGate]>([])
    private let loops = Mutex<[UInt64: Mailbox]>([:])
    private let ownTickets = Mutex(Tickets(place: Tickets.ownCalls))
    private let ownCalls = Mutex<[UInt64: OwnCall]>([:])
    private let ledger: any QuotaLedger
    private let isPassing: Bool
    private let thread: TurnThread
    let clock: Clock
    private let logger: Logger

    /// Contacts in one call of the ledger.
    private static let batchMax = 256
    /// After a failure, until the ledger is asked again.
    private static let retryTime = TimeSpan(.milliseconds(100))

    /// One of the proxy's own calls, which waits on its thread.
    private struct OwnCall {
        let wakeUp: Gate
        var isAdmitted = false
    }

    /// `isPassing`: the process ends soon, so that what is used is told at once.
    init(
        _ ledger: any QuotaLedger, isPassing: Bool = false, clock: Clock, logger: Logger
    ) throws(SystemError) {
        self.ledger = ledger
        self.isPassing = isPassing
        self.clock = clock
        self.logger = logger
        thread = try TurnThread("quota")
    }

    var terms: LedgerTerms { ledger.terms }

    /// Where limits are counted now.
    package var standing: LedgerStanding {
        guard let absence = state.withLock({ $0.absence }) else { return ledger.standing }
        var standing = LedgerStanding(.away, since: absence.since)
        standing.reason = absence.reason
        return standing
    }

    /// False when the system has no thread.
    func start() -> Bool { thread.start(watching: -1) { [self] _ in turn() } }

    /// Looks at the clocks; for clocks that are moved by hand.
    func wake() { thread.wake() }

    /// Returns once a turn has been over that began after this call.
    func waitForTurn(timeout: Duration? = nil) {
        guard let done = try? Gate() else { return }
        // A letter is performed before a turn: with the second one, the turn behind the first one is over.
        for _ in 0..<2 {
            thread.post { done.open() }
            _ = done.wait(for: 1, timeout: timeout)
        }
    }

    /// Tells the ledger the last news, and returns once the thread has ended.
    func close() {
        thread.post { [self] in farewell() }
        thread.close()
        ledger.close()
    }

    // MARK: For gates

    func wake(_ gate: QuotaGate) {
        woken.withLock { $0.append(gate) }
        thread.wake()
    }

    /// Letters of tickets with this place go there.
    func add(_ mailbox: Mailbox, place: UInt64) { loops.withLock { $0[place] = mailbox } }

    func deliver(_ outcome: CategoryGate.Outcome, of gate: QuotaGate) {
        var places: [UInt64: CategoryGate.Outcome] = [:]
        for ticket in outcome.admitted {
            places[Tickets.place(of: ticket), default: .init()].admitted.append(ticket)
        }
        for ticket in outcome.refused {
            places[Tickets.place(of: ticket), default: .init()].refused.append(ticket)
        }
        for (place, outcome) in places {
            if place == Tickets.ownCalls {
                deliverOwn(outcome, gate)
            } else {
                let isTaken =
                    loops.withLock { $0[place] }?.post { $0.quotaDecided(outcome, of: gate) } ?? false
                if !isTaken { for _ in outcome.admitted { gate.giveBack(at: clock.monotonic()) } }
            }
        }
    }

    // MARK: The thread

    private func turn() -> Duration {
        let now = clock.monotonic()
        var due = woken.withLock { woken in
            defer { woken = [] }
            return woken
        }
        state.withLock { state in
            for (id, plan) in state.plans where plan.time <= now {
                due.append(plan.gate)
                state.plans[id] = nil
            }
        }
        var contacts: [(gate: QuotaGate, held: HeldContact)] = []
        for gate in due {
            if let held = gate.look(ledger.terms, at: now) { contacts.append((gate, held)) }
        }
        while !contacts.isEmpty {
            ask(Array(contacts.prefix(Self.batchMax)))
            contacts.removeFirst(min(contacts.count, Self.batchMax))
        }
        return plan(due)
    }

    private func ask(_ contacts: [(gate: QuotaGate, held: HeldContact)]) {
        for (gate, held) in contacts where held.contact.pause > 0 {
            note(pause: held.contact.pause, of: gate)
        }
        do throws(LedgerFailure) {
            let replies = try ledger.answer(contacts.map(\.held))
            let now = clock.monotonic()
            for ((gate, _), reply) in zip(contacts, replies) {
                note(isDamaged: reply.isDamaged, gate)
                if reply.isDamaged {
                    gate.fail(until: now + Self.retryTime, at: now)
                } else {
                    gate.hear(reply, at: now)
                }
            }
            note(nil)
        } catch {
            note(error)
            let now = clock.monotonic()
            for (gate, _) in contacts { gate.fail(until: now + Self.retryTime, at: now) }
        }
    }

    private func plan(_ gates: [QuotaGate]) -> Duration {
        let now = clock.monotonic()
        let soonest = state.withLock { state in
            for gate in gates {
                state.plans[ObjectIdentifier(gate)] = gate.nextLook(at: now).map { (gate, $0) }
            }
            return state.plans.values.map(\.time).min() ?? .never
        }
        return .nanoseconds(soonest.since(now).nanoseconds)
    }

    /// Says it once when the ledger goes away, and when it is back.
    private func note(_ failure: LedgerFailure?) {
        // What it logs itself it also says in its own standing.
        let reason = failure.flatMap { $0.isLogged ? nil : $0.words }
        let now = clock.monotonic()
        let hasChanged = state.withLock { state in
            let wasAway = state.absence != nil
            state.absence = reason.map { (state.absence?.since ?? now, $0) }
            return wasAway != (reason != nil)
        }
        guard hasChanged else { return }
        if let reason {
            logger.error("quota ledger cannot be asked", metadata: ["reason": "\(reason)"])
        } else {
            logger.notice("quota ledger answers again")
        }
    }

    /// The same for one category's record.
    private func note(isDamaged: Bool, _ gate: QuotaGate) {
        let id = ObjectIdentifier(gate)
        let hasChanged = state.withLock { state in
            isDamaged ? state.damaged.insert(id).inserted : state.damaged.remove(id) != nil
        }
        guard hasChanged else { return }
        if isDamaged {
            logger.error("record of the quota ledger cannot be read", metadata: metadata(gate))
        } else {
            logger.notice("record of the quota ledger can be read again", metadata: metadata(gate))
        }
    }

    /// Says a pause once, however often the ledger has to be told, and calls that were under way prolong it.
    private func note(pause: Int64, of gate: QuotaGate) {
        let now = clock.monotonic()
        let span = TimeSpan(microseconds: pause)
        let isNew = state.withLock { state in
            state.pauses = state.pauses.filter { $0.value > now }
            return state.pauses.updateValue(now + span, forKey: ObjectIdentifier(gate)) == nil
        }
        guard isNew else { return }
        var metadata = metadata(gate)
        metadata["seconds"] = "\(span.secondsUp)"
        logger.warning("the provider asks for a pause", metadata: metadata)
    }

    private func metadata(_ gate: QuotaGate) -> Logger.Metadata {
        ["provider": "\(gate.key.provider)", "category": "\(gate.key.category)"]
    }

    private func farewell() {
        let now = clock.monotonic()
        let gates = state.withLock { $0.plans.values.map(\.gate) } + woken.withLock { $0 }
        var contacts = gates.compactMap { $0.farewell(at: now) }[...]
        while !contacts.isEmpty {
            _ = try? ledger.answer(Array(contacts.prefix(Self.batchMax)))
            contacts = contacts.dropFirst(Self.batchMax)
        }
    }

    // MARK: The proxy's own calls

    /// Waits for a permit of `gate`, blocking the thread, for `patience` at the longest; nil when there is one.
    func wait(for gate: QuotaGate, patience: Duration) -> QuotaRefusal? {
        guard let wakeUp = try? Gate() else { return QuotaRefusal(reason: .ledgerAway) }
        let ticket = ownTickets.withLock { $0.draw() }
        ownCalls.withLock { $0[ticket] = OwnCall(wakeUp: wakeUp) }
        let arrival = gate.arrive(ticket, of: 0, patience: TimeSpan(patience))
        if case .inLine = arrival { _ = wakeUp.wait(for: 1, timeout: max(patience, Self.ledgerPatience)) }
        gate.leave(ticket)
        // Whoever would admit it from now on finds it gone.
        let call = ownCalls.withLock { $0.removeValue(forKey: ticket) }
        switch arrival {
        case .admitted: return nil
        case .refused(let refusal): return refusal
        case .inLine: return call?.isAdmitted == true ? nil : gate.refusal(at: clock.monotonic())
        }
    }

    /// How long a call waits for the ledger's word, whatever its patience.
    static let ledgerPatience: Duration = .seconds(5)

    /// One of the proxy's own calls is over.
    func settle(_ gate: QuotaGate) {
        guard isPassing, let told = try? Gate() else { return }
        thread.post { [self] in
            if let contact = gate.farewell(at: clock.monotonic()) { _ = try? ledger.answer([contact]) }
            told.open()
        }
        _ = told.wait(for: 1, timeout: Self.ledgerPatience)
    }

    private func deliverOwn(_ outcome: CategoryGate.Outcome, _ gate: QuotaGate) {
        for ticket in outcome.admitted {
            let wakeUp = ownCalls.withLock { calls in
                calls[ticket]?.isAdmitted = true
                return calls[ticket]?.wakeUp
            }
            wakeUp?.open()
            if wakeUp == nil { gate.giveBack(at: clock.monotonic()) }
        }
        for ticket in outcome.refused { ownCalls.withLock { $0[ticket] }?.wakeUp.open() }
    }
}
