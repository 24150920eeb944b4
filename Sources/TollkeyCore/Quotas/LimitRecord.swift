/// What has been spent of one limit, in a sliding window, and who holds permits: the ledger's side.
///
/// In any window of the limit's length at most the limit is used. Why: a use is never recorded earlier than it was
/// made, and a permit that is held counts as if it were used at the end of its lease, so whatever is used has counted
/// from the moment it was granted until a window's length after its use. Times are microseconds, never negative, of
/// one clock, that of whoever keeps the record.
package struct LimitRecord: Sendable, Equatable {
    /// Uses that are counted together.
    package struct Use: Sendable, Equatable {
        /// When the last of them was made, or later.
        package var time: Int64
        package var count: Int
    }

    /// What one holder has.
    package struct Lease: Sendable, Equatable {
        package let holder: UInt64
        /// Permits that are granted and not reported as used.
        package var held = 0
        package var end: Int64
        /// As the holder counts: how many of its uses are recorded.
        package var used: Int
        /// Of the last contact.
        package var turn: Int64
        /// Permits that were counted as used because their lease ended; uses reported later are among them.
        package var charged = 0
    }

    /// The limit's, in microseconds: what tells a category's records apart.
    package let window: Int64
    /// Oldest first, times rising.
    package var uses: [Use] = []
    /// When the newest of `uses` was begun.
    package var newestBegan: Int64 = 0
    package var leases: [Lease] = []
    /// The latest moment that was ever seen: a clock that is set back stands still here.
    package var now: Int64 = 0

    /// A limit beyond this counts uses together, that come within a window's `usesMax`-th part: it loses so little.
    package static let usesMax = 512
    package static let holdersMax = 1_024

    package init(window: Int64) { self.window = window }

    /// Spent in the window or held.
    package var total: Int { uses.reduce(0) { $0 + $1.count } + leases.reduce(0) { $0 + $1.held } }

    /// Nothing in it counts any more.
    func isOver(at time: Int64) -> Bool {
        let now = max(now, time)
        return uses.allSatisfy { $0.time + window <= now } && leases.allSatisfy { $0.end + window <= now }
    }

    /// Records what `contact` reports, and takes back what it does not keep. How many permits the holder has then, and
    /// how many it could have.
    package mutating func settle(
        _ contact: LimitContact, turn: Int64, of holder: UInt64, at time: Int64
    ) -> (kept: Int, free: Int) {
        advance(to: time)
        guard let index = lease(of: holder, contact), leases[index].turn < turn else { return (0, 0) }
        leases[index].turn = turn
        let fresh = max(0, contact.used - leases[index].used)
        let unknown = fresh - min(fresh, leases[index].charged)
        leases[index].used += fresh
        leases[index].charged = 0
        leases[index].held = min(leases[index].held, contact.left)
        if unknown > 0 {
            let age = min(max(0, contact.age), window)
            record(unknown, at: now - age, of: contact.limit.count)
        }
        let kept = leases[index].held
        return (kept, max(kept, contact.limit.count - total + kept))
    }

    /// Has the holder hold `count` permits for the contact's life. After `settle`, at the same moment.
    package mutating func hold(_ count: Int, _ contact: LimitContact, of holder: UInt64) -> LimitReply {
        if count > 0, let index = leases.firstIndex(where: { $0.holder == holder }) {
            leases[index].held = count
            leases[index].end = max(leases[index].end, now + max(0, contact.life))
        }
        let others = leases.count { $0.held > 0 && $0.holder != holder }
        return LimitReply(
            held: count, total: total, holders: others + 1,
            nextIn: uses.first.map { $0.time + window - now } ?? 0)
    }

    // MARK: Time

    private mutating func advance(to time: Int64) {
        now = max(now, time)
        for index in leases.indices where leases[index].held > 0 && leases[index].end <= now {
            // Nobody has said what became of them: they may have been used until the last moment.
            let lost = leases[index].held
            leases[index].held = 0
            leases[index].charged += lost
            append(Use(time: leases[index].end, count: lost), began: leases[index].end)
        }
        let gone = uses.prefix { $0.time + window <= now }.count
        uses.removeFirst(gone)
        leases.removeAll { $0.held == 0 && $0.end + window <= now }
    }

    /// The place of the holder's lease, made when there is none; nil when there are too many that hold something.
    ///
    /// In its place the one goes that has held nothing for longest. When it comes back, what it says may count twice.
    private mutating func lease(of holder: UInt64, _ contact: LimitContact) -> Int? {
        if let index = leases.firstIndex(where: { $0.holder == holder }) { return index }
        if leases.count >= Self.holdersMax {
            let idle = leases.indices.filter { leases[$0].held == 0 }
            guard let oldest = idle.min(by: { leases[$0].end < leases[$1].end }) else { return nil }
            leases.remove(at: oldest)
        }
        leases.append(Lease(holder: holder, end: now, used: contact.acknowledged, turn: .min))
        return leases.count - 1
    }

    // MARK: Uses

    private mutating func record(_ count: Int, at time: Int64, of limit: Int) {
        let grain = limit > Self.usesMax ? window / Int64(Self.usesMax) : 0
        let time = max(time, uses.last?.time ?? time)
        if let last = uses.indices.last,
            time == uses[last].time || time - newestBegan < grain || uses.count >= 2 * Self.usesMax
        {
            uses[last].time = time
            uses[last].count += count
        } else {
            append(Use(time: time, count: count), began: time)
        }
    }

    private mutating func append(_ use: Use, began: Int64) {
        let time = max(use.time, uses.last?.time ?? use.time)
        uses.append(Use(time: time, count: use.count))
        newestBegan = began
    }
}

extension LimitSettings {
    package var windowMicroseconds: Int64 { TimeSpan(window).microseconds }
}

/// A category's records.
package struct CategoryRecord: Sendable, Equatable {
    /// One for each length of window; in front those that the last contact was about.
    package var limits: [LimitRecord] = []
    /// Nobody may call before; microseconds of the records' clock.
    package var pauseEnd: Int64 = 0

    package init() {}

    /// One contact as a whole: a holder gets equally many permits of each limit, since a call needs one of each. What it
    /// keeps stays with it, also where the lease of another limit has ended meanwhile: it may just be using it.
    package mutating func answer(_ contact: LedgerContact, of holder: UInt64, at now: Int64) -> LedgerReply {
        align(with: contact, at: now)
        if contact.pause > 0 { pauseEnd = max(pauseEnd, now + contact.pause) }
        var kept: [Int] = []
        var count = Int.max
        for (index, limit) in contact.limits.enumerated() {
            let stand = limits[index].settle(limit, turn: contact.turn, of: holder, at: now)
            kept.append(stand.kept)
            count = min(count, stand.free, limit.wanted)
        }
        var reply = LedgerReply(limits: [])
        for (index, limit) in contact.limits.enumerated() {
            reply.limits.append(limits[index].hold(max(kept[index], count), limit, of: holder))
        }
        reply.pause = max(0, pauseEnd - now)
        return reply
    }

    /// What is recorded for other windows is kept until it is over: while a configuration changes, some still have the
    /// limits from before.
    private mutating func align(with contact: LedgerContact, at now: Int64) {
        let windows = contact.limits.map(\.limit.windowMicroseconds)
        let others = limits.filter { !windows.contains($0.window) && !$0.isOver(at: now) }
        let known = limits
        limits = windows.map { window in
            known.first { $0.window == window } ?? LimitRecord(window: window)
        }
        limits += others.prefix(Self.limitsMax - limits.count)
    }

    /// Limits of the present configuration, and of the one before.
    static let limitsMax = 2 * CategorySettings.limitsMax
}
