package import TollkeyCore

/// Where quotas are counted at the moment, for people.
package struct LedgerStanding: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// In this machine's state directory, as configured.
        case local
        /// In Redis.
        case shared
        /// Redis has lost its memory, or is met for the first time: replicas tell it what they know, and it grants
        /// nothing for a moment.
        case beginning
        /// Redis cannot be asked, and `fallback` says what is done.
        case away
    }

    package var place: Place
    /// How long it has been so.
    package var since: MonotonicTime
    /// Why it is away, in words that hold no secret.
    package var reason: String?
    package var fallback: SharedSettings.Fallback?
    /// Replicas that were counted last, this one among them; 0 when nobody has counted them.
    package var replicas = 0

    package init(_ place: Place, since: MonotonicTime) {
        self.place = place
        self.since = since
    }
}
