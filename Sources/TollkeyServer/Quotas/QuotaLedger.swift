package import TollkeyCore

/// Where what was spent of every limit is counted, for all processes that draw on the same account.
///
/// Each call blocks its thread, for a bounded time; one thread at a time.
package protocol QuotaLedger: AnyObject, Sendable {
    /// How a process is to deal with it now.
    var terms: LedgerTerms { get }

    /// Answers each contact, in their order, `damaged` where it is about one only. What fails may have been recorded; it
    /// is then found out by the next one.
    func answer(_ contacts: [HeldContact]) throws(LedgerFailure) -> [LedgerReply]

    /// Where is counted now.
    var standing: LedgerStanding { get }

    /// Ends a call that is under way. From any thread.
    func close()
}

/// A contact, and whose.
package struct HeldContact: Sendable {
    package let contact: LedgerContact
    package let holder: UInt64

    package init(_ contact: LedgerContact, of holder: UInt64) {
        self.contact = contact
        self.holder = holder
    }
}

/// Why the ledger cannot be asked, in words for a person that hold no secret.
package struct LedgerFailure: Error, Sendable, Equatable {
    package let words: String
    /// The ledger's own log has it already.
    package let isLogged: Bool
    package init(_ words: String, isLogged: Bool = false) {
        self.words = words
        self.isLogged = isLogged
    }
}
