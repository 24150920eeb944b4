/// One limit as one process sees it: the permits of its lease, and what the ledger last said.
struct Allowance: Sendable {
    let limit: LimitSettings
    /// Permits of the lease that are not used; some may be promised to calls that are under way.
    private(set) var held = 0
    /// When the lease ends.
    private(set) var end = MonotonicTime.past
    /// Nothing can be had before.
    private(set) var emptyUntil = MonotonicTime.past
    /// How many more could be used now, as far as is known.
    private(set) var remaining: Int
    /// When the first of what is spent leaves the window.
    private(set) var resets = MonotonicTime.past
    private(set) var holders = 1

    private var used = 0
    /// What of it the ledger has recorded for all.
    private var acknowledged = 0
    /// What of it anybody was told, be it a ledger that stands in for the one that is away.
    private var told = 0
    private var lastUse = MonotonicTime.past
    /// The first one that the ledger has not been told of.
    private var firstUse = MonotonicTime.past
    /// When the lease was asked for.
    private var begin = MonotonicTime.past
    /// Spent or held by all, and when that was.
    private var total = (count: 0, time: MonotonicTime.past)
    /// As they were when the ledger was last asked.
    private var asked: (used: Int, time: MonotonicTime, wanted: Int)?

    init(_ limit: LimitSettings) {
        self.limit = limit
        remaining = limit.count
    }

    func isGood(at now: MonotonicTime) -> Bool { held > 0 && now < end }

    /// Some of it was used since the ledger was last told.
    var hasNews: Bool { used > told }

    /// When the ledger is to be told what has become of the lease: of what was used soon after it was, of what is left
    /// before it ends.
    func lookTime(life: TimeSpan) -> MonotonicTime {
        min(
            hasNews ? firstUse + TimeSpan(nanoseconds: life.nanoseconds / 8) : .never,
            held > 0 ? begin + TimeSpan(nanoseconds: life.nanoseconds / 4 * 3) : .never)
    }

    mutating func use(at now: MonotonicTime) {
        if !hasNews || asked?.used == used { firstUse = now }
        held -= 1
        used += 1
        remaining = max(0, remaining - 1)
        lastUse = now
    }

    /// What the ledger is told, and asked: to hold `wanted` permits for `life`, or as many of them as there can be.
    mutating func ask(
        wanted: Int, life: TimeSpan, at now: MonotonicTime
    ) -> LimitContact {
        let left = now < end ? held : 0
        var contact = LimitContact(limit: limit)
        contact.used = used
        contact.acknowledged = acknowledged
        contact.age = used > acknowledged ? max(0, now.microseconds - lastUse.microsecondsUp) : 0
        contact.left = min(left, wanted)
        contact.wanted = min(wanted, limit.count)
        contact.life = life.microseconds
        // Of what was spent a window ago nothing counts any more.
        contact.total = now < total.time + TimeSpan(limit.window) ? total.count : 0
        if wanted < held { held = max(0, wanted) }
        asked = (used, now, wanted)
        return contact
    }

    /// `isRecorded`: by the ledger itself. False: there is less than was asked for, and not because of this limit.
    mutating func hear(
        _ reply: LimitReply, isRecorded: Bool, life: TimeSpan, at now: MonotonicTime
    ) -> Bool {
        guard let asked else { return true }
        self.asked = nil
        held = max(0, reply.held - (used - asked.used))
        begin = asked.time
        // As the ledger counts: in whole microseconds.
        let begun = MonotonicTime(nanoseconds: asked.time.microseconds * 1_000)
        if reply.held > 0 { end = max(end, begun + life) }
        told = asked.used
        if isRecorded {
            acknowledged = asked.used
            total = (reply.total, now)
        }
        holders = reply.holders
        remaining = max(0, limit.count - reply.total + held)
        resets = now + TimeSpan(microseconds: reply.nextIn)
        emptyUntil = .past
        guard reply.held < asked.wanted else { return true }
        guard reply.total >= limit.count else { return false }
        // Where others hold permits, these may come back before anything leaves the window.
        let again = now + TimeSpan(nanoseconds: TimeSpan(limit.window).nanoseconds / Self.looksPerWindow)
        if reply.nextIn == 0 { resets = again }
        emptyUntil = holders > 1 ? min(resets, again) : resets
        return true
    }

    /// The ledger could not be asked; whatever it has done with the contact, the next one puts it right.
    mutating func fail() { asked = nil }

    private static let looksPerWindow: Int64 = 200
}
