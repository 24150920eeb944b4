/// Whose limits: one category of one account.
package struct LedgerKey: Sendable, Hashable {
    package let provider: String
    /// The upstream's host and port: another environment is another account.
    package let authority: String
    package let category: String

    package init(provider: String, authority: String, category: String) {
        self.provider = provider
        self.authority = authority
        self.category = category
    }
}

/// What one process (the *holder*) tells the ledger about a category, and asks of it. Times are spans, in
/// microseconds, so that nobody's clock has to agree with anybody's.
package struct LedgerContact: Sendable, Equatable {
    package let key: LedgerKey
    /// Which of the holder's contacts: one that arrives behind a later one is void.
    package let turn: Int64
    /// In the order of the category's settings.
    package var limits: [LimitContact]
    /// From now on nobody may call for so long: the provider has said so. 0 is nothing new.
    package var pause: Int64 = 0
    /// Which of the ledger's memories the limits' `total` is from, as its last reply said; 0 is none.
    package var era: UInt64 = 0

    package init(key: LedgerKey, turn: Int64, limits: [LimitContact]) {
        self.key = key
        self.turn = turn
        self.limits = limits
    }
}

/// The part about one limit.
package struct LimitContact: Sendable, Equatable {
    package var limit: LimitSettings
    /// Permits that the holder has used, ever. Counted up, so that a contact that is repeated counts nothing twice.
    package var used = 0
    /// What of it the ledger has recorded, as far as its replies have come.
    package var acknowledged = 0
    /// How long ago the last one was used.
    package var age: Int64 = 0
    /// Permits of its lease that it has not used and wants to keep.
    package var left = 0
    /// How many it wants to hold after this, `left` among them.
    package var wanted = 0
    /// For how long.
    package var life: Int64 = 0
    /// How many were spent or held by all when it last heard, for a ledger that has lost its memory; 0 when that was
    /// longer ago than the window.
    package var total = 0

    package init(limit: LimitSettings) { self.limit = limit }
}

/// What the ledger answers.
package struct LedgerReply: Sendable, Equatable {
    /// As those of the contact.
    package var limits: [LimitReply]
    /// Nobody may call for so long.
    package var pause: Int64 = 0
    /// What the next contact says. 0 where the ledger has one memory only.
    package var era: UInt64 = 0
    /// False: another ledger has answered, while the one where all counts is away.
    package var isRecorded = true
    /// What is recorded cannot be used, so that nobody knows what was spent; the rest of this says nothing then.
    package private(set) var isDamaged = false

    package static let damaged: LedgerReply = {
        var reply = LedgerReply(limits: [])
        reply.isDamaged = true
        return reply
    }()

    package init(limits: [LimitReply]) { self.limits = limits }
}

package struct LimitReply: Sendable, Equatable {
    /// Permits that the holder has now. They may be used until the contact's `life` has passed since it was sent.
    package var held: Int
    /// Spent in the window or held, by everybody.
    package var total: Int
    /// Holders that have permits, the asking one counted always.
    package var holders: Int
    /// How long until the first of what is spent leaves the window; 0 when nothing was spent.
    package var nextIn: Int64

    package init(held: Int, total: Int, holders: Int, nextIn: Int64) {
        self.held = held
        self.total = total
        self.holders = holders
        self.nextIn = nextIn
    }
}
