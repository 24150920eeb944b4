/// The life of one credential, from its absence to its end: when to obtain and renew it, and what may be served.
///
/// Decides only; the token refresher performs. Every state answers every event, because answers, timers and operators
/// cross each other: what comes too late changes nothing.
package struct CredentialLife: Sendable {
    package enum State: Sendable, Equatable {
        /// Nothing has been held yet, and no call is under way. Left when `trouble` says that it is time, at once
        /// without trouble.
        case absent
        /// Nothing can be served and a call is under way. Left by its outcome.
        case obtaining
        /// One is served. Left when it is time to renew it, when it is refused, or at its end.
        case fresh(Held)
        /// One is served and a call for the next is under way. Left by its outcome; at its end it is not served.
        case renewing(Held)
        /// The last one has died and no call is under way. Left as `absent`.
        case expired
    }

    /// A credential that may be served until `expires`.
    package struct Held: Sendable, Equatable {
        /// Grows with each one that is obtained, by whomever.
        package var version: Int64
        package var obtained: Moment
        package var expires: Deadline
        package var renewal: Deadline
    }

    package enum Event: Sendable {
        /// Look at the clocks: a timer, or a caller that found nothing.
        case looked
        /// The provider refused this version (401).
        case refused(version: Int64)
        /// An operator wants the next one now.
        case asked
        /// What it is obtained with has changed.
        case secretsChanged
        /// The call under way has brought this one.
        case obtained(version: Int64, expires: Deadline, life: Duration)
        /// Another process has brought this one.
        case adopted(version: Int64, expires: Deadline, life: Duration)
        /// The call under way has failed.
        case failed(Fault)
    }

    /// Why a call for a credential failed.
    package enum Fault: Sendable, Equatable {
        /// It may be better soon: no connection, no answer, an answer that makes no sense.
        case unavailable(String)
        /// The provider asks to be left alone, so long if it said so.
        case limited(Duration?, String)
        /// What we log in with is wrong: asking again changes nothing.
        case rejected(String)
        /// Only a person can go on: `tollkey login`.
        case needsPerson(String)

        package var words: String {
            switch self {
            case .unavailable(let words), .limited(_, let words), .rejected(let words),
                .needsPerson(let words):
                words
            }
        }
    }

    /// What went wrong last, remembered until something better comes.
    package struct Trouble: Sendable, Equatable {
        package var fault: Fault
        /// Failures without a success between them.
        package var count: Int
        package var retry: Deadline
    }

    /// What the event asks of the refresher.
    package struct Step: Sendable, Equatable {
        /// Begin a call for the next credential.
        package var calls = false
        /// What may be served is not what it was.
        package var publishes = false
        package init(calls: Bool = false, publishes: Bool = false) {
            self.calls = calls
            self.publishes = publishes
        }
    }

    /// Why a call for the next one was begun.
    package enum Cause: String, Sendable, CaseIterable {
        /// Nothing was held.
        case absent
        /// It was time.
        case due
        /// The provider refused the one that was held.
        case refused
        /// An operator wanted it.
        case asked
        /// What it is obtained with has changed.
        case secrets
    }

    package private(set) var state = State.absent
    /// Of the last call that was begun.
    package private(set) var cause = Cause.absent
    package private(set) var trouble: Trouble?
    /// Renewals in a row that were due to a refusal.
    private var refusals = 0
    private var isRefusal = false
    /// The call under way was begun with secrets that are not the present ones.
    private var isStale = false
    private let renewBefore: Duration?

    package static let backoffFirst: Duration = .seconds(2)
    package static let backoffMax: Duration = .seconds(300)
    package static let backoffMin: Duration = .milliseconds(500)
    /// Before a login that was rejected is tried again, at first and at most.
    package static let rejectedFirst: Duration = .seconds(600)
    package static let rejectedMax: Duration = .seconds(3_600)
    /// A longer Retry-After is cut to this.
    package static let retryAfterMax: Duration = .seconds(86_400)
    /// Between two renewals that are due to refusals, at first and at most.
    package static let refusalFirst: Duration = .seconds(5)
    package static let refusalMax: Duration = .seconds(600)
    /// The margin where the provider gives none is a tenth of the life, at most this.
    package static let marginMax: Duration = .seconds(3_600)

    /// `renewBefore` is the provider's own margin.
    package init(renewBefore: Duration?) { self.renewBefore = renewBefore }

    /// The one to be served; nil when there is none that lives.
    package func held(at now: Moment) -> Held? {
        switch state {
        case .fresh(let held), .renewing(let held): held.expires.isReached(at: now) ? nil : held
        case .absent, .obtaining, .expired: nil
        }
    }

    package var isCalling: Bool {
        switch state {
        case .obtaining, .renewing: true
        case .absent, .fresh, .expired: false
        }
    }

    /// When to look again.
    package var due: Deadline {
        switch state {
        case .obtaining: .never
        case .renewing(let held): held.expires
        case .fresh(let held):
            .earlier(held.expires, trouble.map { .later($0.retry, held.renewal) } ?? held.renewal)
        case .absent, .expired: trouble?.retry ?? Deadline(wall: .min, monotonic: .min)
        }
    }

    /// `jitter` is drawn anew for each event, from 0 up to but not including 1.
    package mutating func handle(_ event: Event, at now: Moment, jitter: Double) -> Step {
        let isHeld = held(at: now) != nil
        let step = step(for: event, at: now, jitter: jitter)
        guard step.calls else { return step }
        switch event {
        case .looked: cause = isHeld ? .due : .absent
        case .refused: cause = .refused
        case .asked: cause = .asked
        // Another one is begun behind the one that was under way when they changed.
        case .secretsChanged, .obtained, .adopted, .failed: cause = .secrets
        }
        return step
    }

    private mutating func step(for event: Event, at now: Moment, jitter: Double) -> Step {
        switch event {
        case .looked: return look(at: now)
        case .refused(let version): return refuse(version, at: now)
        case .asked:
            trouble = nil
            return begin(at: now)
        case .secretsChanged:
            trouble = nil
            refusals = 0
            isStale = isCalling
            return begin(at: now)
        case .obtained(let version, let expires, let life):
            if isCalling { refusals = isRefusal ? refusals + 1 : 0 }
            isRefusal = false
            let step = take(version, expires, life, at: now, jitter, isCalling: false)
            return beginAnew(at: now) ?? step
        case .adopted(let version, let expires, let life):
            return take(version, expires, life, at: now, jitter, isCalling: isCalling)
        case .failed(let fault):
            let step = fail(fault, at: now, jitter)
            return beginAnew(at: now) ?? step
        }
    }

    // MARK: Time

    private mutating func look(at now: Moment) -> Step {
        switch state {
        case .obtaining: return Step()
        case .renewing(let held):
            guard held.expires.isReached(at: now) else { return Step() }
            state = .obtaining
            return Step(publishes: true)
        case .fresh(let held):
            if held.expires.isReached(at: now) {
                state = .expired
                var step = look(at: now)
                step.publishes = true
                return step
            }
            guard held.renewal.isReached(at: now), trouble?.retry.isReached(at: now) ?? true else {
                return Step()
            }
            return begin(at: now)
        case .absent, .expired:
            guard trouble?.retry.isReached(at: now) ?? true else { return Step() }
            return begin(at: now)
        }
    }

    /// Begins a call, unless there is one.
    private mutating func begin(at now: Moment) -> Step {
        switch state {
        case .obtaining, .renewing: return Step()
        case .fresh(let held) where held.expires.isReached(at: now):
            state = .obtaining
            return Step(calls: true, publishes: true)
        case .fresh(let held):
            state = .renewing(held)
            return Step(calls: true)
        case .absent, .expired:
            state = .obtaining
            // Callers are told to wait where they were told that there is nothing.
            return Step(calls: true, publishes: true)
        }
    }

    /// What a call with older secrets has brought is not what is wanted.
    private mutating func beginAnew(at now: Moment) -> Step? {
        guard isStale else { return nil }
        isStale = false
        trouble = nil
        var step = begin(at: now)
        step.publishes = true
        return step
    }

    // MARK: Refusals

    /// The refused one is served on: one call that is refused for reasons of its own must not stop all others.
    private mutating func refuse(_ version: Int64, at now: Moment) -> Step {
        // Late news of an older one changes nothing, and what is being renewed needs no telling.
        guard case .fresh(let held) = state, held.version == version else { return Step() }
        if let trouble, !trouble.retry.isReached(at: now) { return Step() }
        if refusals > 0 {
            // A new one was refused as the one before it was: that cannot go on at the callers' speed.
            let span = Self.refusalSpan(refusals)
            guard (held.obtained + span).isReached(at: now) else { return Step() }
            if (held.obtained + span * 2).isReached(at: now) { refusals = 0 }
        }
        isRefusal = true
        return begin(at: now)
    }

    private static func refusalSpan(_ count: Int) -> Duration {
        count == 0 ? .zero : min(refusalMax, refusalFirst * (1 << min(count - 1, 16)))
    }

    // MARK: Outcomes

    /// `isCalling`: whether a call is under way still.
    private mutating func take(
        _ version: Int64, _ expires: Deadline, _ life: Duration, at now: Moment, _ jitter: Double,
        isCalling: Bool
    ) -> Step {
        let lead = Self.lead(life, renewBefore, jitter: jitter)
        var next = Held(
            version: version, obtained: now, expires: expires, renewal: expires.sooner(by: lead))
        // What another process has brought meanwhile may be later than what our own call did.
        if let held = held(at: now), held.version >= version { next = held }
        trouble = nil
        state = isCalling ? .renewing(next) : .fresh(next)
        return Step(publishes: true)
    }

    /// How long before its end a credential is renewed: the margin, and up to a tenth of it more by chance, so that
    /// many proxies do not come at once.
    package static func lead(_ life: Duration, _ renewBefore: Duration?, jitter: Double) -> Duration {
        let margin = min(renewBefore ?? min(life / 10, marginMax), life / 2)
        return margin + margin / 10 * jitter
    }

    private mutating func fail(_ fault: Fault, at now: Moment, _ jitter: Double) -> Step {
        guard isCalling else { return Step() }
        isRefusal = false
        let count = (trouble?.count ?? 0) + 1
        trouble = Trouble(fault: fault, count: count, retry: Self.retry(fault, count, at: now, jitter))
        switch state {
        case .renewing(let held) where !held.expires.isReached(at: now): state = .fresh(held)
        case .renewing, .obtaining: state = .expired
        case .absent, .fresh, .expired: break
        }
        return Step(publishes: true)
    }

    private static func retry(_ fault: Fault, _ count: Int, at now: Moment, _ jitter: Double) -> Deadline {
        let doubled = 1 << min(count - 1, 16)
        switch fault {
        case .unavailable, .limited(nil, _):
            // Full jitter: anywhere up to the bound, so that those who failed together do not come back together.
            let bound = min(backoffMax, backoffFirst * doubled)
            return now + max(backoffMin, bound * jitter)
        case .limited(let span?, _):
            // A provider that asks for no time at all, again and again, is left alone as one that is silent.
            let bound = min(backoffMax, backoffFirst * doubled)
            return now + max(backoffMin, min(span, retryAfterMax), bound * jitter)
        case .rejected:
            let bound = min(rejectedMax, rejectedFirst * doubled)
            return now + bound * (0.75 + 0.25 * jitter)
        case .needsPerson: return .never
        }
    }
}
