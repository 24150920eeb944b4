package import TollkeyCore

/// One replica's share of a limit, while nobody counts for all.
package struct LedgerShare: Sendable, Equatable {
    package let limit: LimitSettings
    package let replicas: Int
    /// May be 0: then nobody passes.
    package let count: Int

    /// In the first window what all had spent is still in it; later, only what each spends of its own share.
    /// `absent`: for how long nobody has counted.
    package init(_ contact: LimitContact, replicas: Int, absent: TimeSpan) {
        limit = contact.limit
        self.replicas = max(1, replicas)
        let first = TimeSpan(limit.window).nanoseconds.addingReportingOverflow(Self.leaseEnd)
        let spent = first.overflow || absent.nanoseconds < first.partialValue ? max(0, contact.total) : 0
        count = max(0, limit.count - spent) / self.replicas
    }

    /// By then every permit that was granted before has been used, or cannot be. Nanoseconds.
    private static let leaseEnd: Int64 = 2_000_000_000
}

extension LedgerContact {
    /// The same to a ledger that keeps a replica's shares.
    func reduced(to shares: [LedgerShare]) -> LedgerContact {
        var contact = LedgerContact(
            key: LedgerKey(
                provider: key.provider, authority: key.authority, category: key.category + " (share)"),
            turn: turn, limits: limits)
        contact.pause = pause
        for (index, share) in shares.enumerated() {
            contact.limits[index].limit.count = share.count
            contact.limits[index].wanted = min(limits[index].wanted, share.count)
        }
        return contact
    }
}

extension LedgerReply {
    /// As if the whole limits had been asked for.
    func raised(from shares: [LedgerShare]) -> LedgerReply {
        var reply = self
        guard !isDamaged else { return reply }
        reply.isRecorded = false
        for (index, share) in shares.enumerated() {
            reply.limits[index].total += share.limit.count - share.count
            // Who is alone waits until something leaves the window; here there may be more sooner, when Redis is back.
            reply.limits[index].holders = max(2, share.replicas)
        }
        return reply
    }
}
