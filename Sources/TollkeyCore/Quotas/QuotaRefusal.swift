/// Why a call does not pass, and when the next one could.
package struct QuotaRefusal: Sendable, Equatable {
    package enum Reason: Sendable, CaseIterable {
        /// The limit is reached.
        case limit
        /// The provider has said so.
        case pause
        /// There is a limit, and as many wait as may.
        case lineFull
        /// The ledger cannot be asked.
        case ledgerAway
    }

    package var reason: Reason
    /// Zero when that is not known.
    package var retryIn = TimeSpan(nanoseconds: 0)
    /// The limit that is in the way, or the first one.
    package var limit: LimitSettings?

    package init(reason: Reason) { self.reason = reason }
}
