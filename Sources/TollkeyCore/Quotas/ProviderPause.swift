/// What the provider itself has said about its limit: nobody may call for a time, or only so many may.
package struct ProviderPause: Sendable, Equatable {
    /// Nobody may call before.
    private(set) var end = MonotonicTime.past
    /// The ledger has not been told yet.
    private(set) var isUnsaid = false
    /// How many calls the provider would still take until `ceilingEnd`, counted when it last answered.
    private var ceiling: Int?
    private(set) var ceilingEnd = MonotonicTime.past
    /// The end of the provider's window, as it was first said: where windows slide, the end moves on with each answer.
    private var windowEnd = MonotonicTime.past
    /// Pauses by 429, one after the other, without another answer between them.
    private var refusals = 0

    /// A 429 pauses for no less: doubled with each further pause, so that one that asks for none is not a loop.
    static let first = TimeSpan(nanoseconds: 1_000_000_000)
    static let doublings = 6
    /// Resets that lie no further apart are of one window: providers round to seconds.
    static let tolerance = TimeSpan(nanoseconds: 1_500_000_000)

    func isOn(at now: MonotonicTime) -> Bool { now < end }

    /// How many more may be sent when `sent` are under way; nil is any number.
    func left(sent: Int, at now: MonotonicTime) -> Int? {
        guard let ceiling, now < ceilingEnd else { return nil }
        return ceiling - sent
    }

    /// An answer came, or nil: a call ended without one.
    /// Nothing of it holds for longer than `max`.
    mutating func note(_ status: Int?, _ signals: RateSignals?, max: TimeSpan, at now: MonotonicTime) {
        if now >= ceilingEnd { ceiling = nil }
        let reset = signals?.resetIn.map { min(TimeSpan($0), max) }
        if let remaining = signals?.remaining, let reset {
            noteCeiling(remaining, until: now + reset, at: now)
        } else if let ceiling {
            // It may have counted.
            self.ceiling = ceiling - 1
        }
        guard let status else { return }
        guard status == 429 else {
            refusals = 0
            if signals?.remaining == 0, let reset { set(reset, at: now) }
            return
        }
        // Those that were under way when the pause began say the same once more.
        if refusals == 0 || !isOn(at: now) { refusals = min(refusals + 1, Self.doublings + 1) }
        let doubled = TimeSpan(nanoseconds: Self.first.nanoseconds << (refusals - 1))
        // A time that is over says nothing.
        let wait = signals?.retryAfter.map { TimeSpan($0) }
        let own = [wait, reset].lazy.compactMap(\.self).first { $0.nanoseconds > 0 }
        // It says when to come back: no other answer's count is in the way then.
        if own != nil { ceiling = nil }
        set(min(Swift.max(own ?? doubled, doubled), max), at: now)
    }

    private mutating func noteCeiling(_ remaining: Int, until reset: MonotonicTime, at now: MonotonicTime) {
        let isSameWindow =
            now < windowEnd && reset < windowEnd + Self.tolerance && windowEnd < reset + Self.tolerance
        // Answers overtake one another: within a window it only goes down.
        ceiling = isSameWindow ? min(ceiling ?? remaining, remaining) : remaining
        ceilingEnd = isSameWindow ? Swift.max(ceilingEnd, reset) : reset
        if !isSameWindow { windowEnd = reset }
    }

    private mutating func set(_ span: TimeSpan, at now: MonotonicTime) {
        guard now + span > end else { return }
        end = now + span
        isUnsaid = true
    }

    // MARK: The ledger

    /// What the ledger is told, in microseconds; 0 is nothing new.
    mutating func say(at now: MonotonicTime) -> Int64 {
        guard isUnsaid else { return 0 }
        isUnsaid = false
        return end.since(now).microseconds
    }

    /// The ledger did not hear it.
    mutating func unsay(at now: MonotonicTime) { isUnsaid = isOn(at: now) }

    mutating func hear(_ span: Int64, at now: MonotonicTime) {
        if span > 0 { end = Swift.max(end, now + TimeSpan(microseconds: span)) }
    }
}
