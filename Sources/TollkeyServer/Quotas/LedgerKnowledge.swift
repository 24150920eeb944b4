import TollkeyCore

/// What a process knows of limits that are counted elsewhere: what it last heard, and what it has used since without
/// telling. For a ledger that has lost its memory, or was away.
struct LedgerKnowledge {
    private struct Entry {
        /// The last contact, as it is to be told.
        var contact: LedgerContact
        var time: MonotonicTime
        /// Some of it was told to nobody else.
        var isOwed: Bool
        var pauseEnd: MonotonicTime
    }
    private var entries: [UInt64: Entry] = [:]

    /// Holders that are remembered.
    static let holdersMax = 65_536

    mutating func note(_ reply: LedgerReply, to held: HeldContact, at now: MonotonicTime) {
        guard !reply.isDamaged, entries[held.holder] != nil || entries.count < Self.holdersMax else { return }
        var contact = held.contact
        for (index, limit) in reply.limits.enumerated() where index < contact.limits.count {
            if reply.isRecorded {
                contact.limits[index].acknowledged = contact.limits[index].used
                contact.limits[index].total = limit.total
                // They are part of the total.
                contact.limits[index].left = 0
            } else {
                // Held of another ledger's permits: they are used, or not, while this one counts already.
                contact.limits[index].left = limit.held
            }
            contact.limits[index].wanted = 0
        }
        if reply.isRecorded { contact.era = reply.era }
        let pause = TimeSpan(microseconds: max(contact.pause, reply.pause))
        let known = entries[held.holder]
        entries[held.holder] = Entry(
            contact: contact, time: now, isOwed: !reply.isRecorded,
            pauseEnd: max(known?.pauseEnd ?? .past, pause.nanoseconds > 0 ? now + pause : .past))
    }

    /// What is to be told, `all` of it or what is owed.
    func contacts(all: Bool, at now: MonotonicTime) -> [HeldContact] {
        entries.compactMap { holder, entry in
            guard all || entry.isOwed else { return nil }
            let gone = now.since(entry.time)
            var contact = entry.contact
            contact.pause = entry.pauseEnd.since(now).microseconds
            for (index, limit) in contact.limits.enumerated() {
                contact.limits[index].age = limit.age + gone.microseconds
                contact.limits[index].life = max(0, limit.life - gone.microseconds)
                if gone >= TimeSpan(limit.limit.window) {
                    contact.limits[index].total = 0
                    contact.limits[index].left = 0
                }
            }
            return HeldContact(contact, of: holder)
        }
    }

    mutating func wasTold() {
        for holder in entries.keys { entries[holder]?.isOwed = false }
    }

    /// Forgets what counts nowhere any more.
    mutating func prune(at now: MonotonicTime) {
        guard now >= prunes else { return }
        prunes = now + Self.pruneTime
        entries = entries.filter { _, entry in
            let longest = entry.contact.limits.map { TimeSpan($0.limit.window) }.max()
            return entry.pauseEnd > now || now < entry.time + (longest ?? TimeSpan(nanoseconds: 0))
        }
    }

    private var prunes = MonotonicTime.past
    private static let pruneTime = TimeSpan(nanoseconds: 10_000_000_000)
}
