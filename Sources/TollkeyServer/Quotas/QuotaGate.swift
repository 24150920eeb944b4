import Synchronization
import TollkeyCore

/// A `CategoryGate` that every thread of the process passes through.
package final class QuotaGate: Sendable {
    let settings: CategorySettings
    let nameInUTF8: [UInt8]
    let waitMax: TimeSpan
    let key: LedgerKey
    /// What the ledger knows it by: each gate has a lease of its own.
    let holder = UInt64.random(in: .min ... .max)
    private let gate: Mutex<CategoryGate>
    private let clerk: LedgerClerk

    init(_ settings: CategorySettings, key: LedgerKey, clerk: LedgerClerk) {
        self.settings = settings
        nameInUTF8 = Array(settings.name.utf8)
        waitMax = TimeSpan(settings.waitMax)
        self.key = key
        self.clerk = clerk
        gate = Mutex(CategoryGate(settings, key: key, terms: clerk.terms))
    }

    // MARK: For calls

    /// `ticket` is one of `Tickets`; when the call stands in line, whoever drew it is told of the end.
    func arrive(
        _ ticket: UInt64, of caller: @autoclosure () -> UInt64, patience: TimeSpan
    ) -> CategoryGate.Arrival {
        // The clock of `spend`: what is admitted by an older one may never be good.
        let now = clerk.clock.monotonic()
        let (arrival, wantsLook) = gate.withLock { gate in
            (gate.arrive(ticket, of: caller(), patience: patience, at: now), gate.wantsLook(at: now))
        }
        if wantsLook { clerk.wake(self) }
        if case .inLine(insteadOf: let other?) = arrival {
            clerk.deliver(CategoryGate.Outcome(refused: [other]), of: self)
        }
        return arrival
    }

    /// The call with a permit is being sent. False: its permit is not good any more, and it must arrive anew.
    func spend() -> Bool {
        // Not when the event loop's turn began: a use must not be recorded earlier than it is made.
        let now = clerk.clock.monotonic()
        let (isGood, wantsLook) = gate.withLock { gate in
            (gate.spend(at: now), gate.wantsLook(at: now))
        }
        if wantsLook { clerk.wake(self) }
        return isGood
    }

    func giveBack(at now: MonotonicTime) { change(at: now) { $0.giveBack(at: now) } }

    func leave(_ ticket: UInt64) { gate.withLock { $0.leave(ticket) } }

    func answered(_ status: Int?, _ signals: RateSignals?, at now: MonotonicTime) {
        change(at: now) { $0.answered(status, signals, at: now) }
    }

    func refusal(at now: MonotonicTime) -> QuotaRefusal { gate.withLock { $0.refusal(at: now) } }

    // MARK: For operators

    /// Has the ledger asked soon how it stands.
    func inquire(at now: MonotonicTime) {
        let wantsLook = gate.withLock { gate in
            gate.inquire(at: now)
            return gate.wantsLook(at: now)
        }
        if wantsLook { clerk.wake(self) }
    }

    func figures(at now: MonotonicTime) -> CategoryGate.Figures { gate.withLock { $0.figures(at: now) } }

    // MARK: For the clerk

    func look(_ terms: LedgerTerms, at now: MonotonicTime) -> HeldContact? {
        gate.withLock { gate in
            gate.terms = terms
            return gate.look(at: now)
        }.map { HeldContact($0, of: holder) }
    }

    func farewell(at now: MonotonicTime) -> HeldContact? {
        gate.withLock { $0.farewell(at: now) }.map { HeldContact($0, of: holder) }
    }

    func hear(_ reply: LedgerReply, at now: MonotonicTime) { change(at: now) { $0.hear(reply, at: now) } }

    func fail(until retry: MonotonicTime, at now: MonotonicTime) {
        change(at: now) { $0.fail(until: retry, at: now) }
    }

    func nextLook(at now: MonotonicTime) -> MonotonicTime? { gate.withLock { $0.nextLook(at: now) } }

    private func change(at now: MonotonicTime, _ body: (inout CategoryGate) -> CategoryGate.Outcome) {
        let (outcome, wantsLook) = gate.withLock { gate in (body(&gate), gate.wantsLook(at: now)) }
        if wantsLook { clerk.wake(self) }
        if !outcome.isEmpty { clerk.deliver(outcome, of: self) }
    }
}

/// Numbers for calls that may stand in line: no two are the same in a process, and each says who is to be told.
struct Tickets {
    private var next: UInt64

    /// `place`: an event loop's number, or `ownCalls`.
    init(place: UInt64) { next = place << Self.placeShift }

    mutating func draw() -> UInt64 {
        next += 1
        return next
    }

    static func place(of ticket: UInt64) -> UInt64 { ticket >> placeShift }

    /// For the proxy's own calls, which wait on threads of their own.
    static let ownCalls: UInt64 = 0xffff
    /// At a million a second, eight years.
    private static let placeShift: UInt64 = 48
}
