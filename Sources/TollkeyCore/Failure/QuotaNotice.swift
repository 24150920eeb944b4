/// What a call that a limit holds back is told in numbers.
package struct QuotaNotice: Sendable, Equatable {
    /// Calls in any window.
    package let limit: Int
    /// Seconds since 1970, UTC: when the next call can pass.
    package let reset: Int64
}

extension Failure {
    /// Why a call did not pass the gate of `category`. `wall`: milliseconds since 1970, UTC.
    package init(_ refusal: QuotaRefusal, category: CategorySettings, provider: String, wall: Int64) {
        let seconds = max(1, refusal.retryIn.secondsUp)
        let name = "category '\(category.name)' of \(provider)"
        switch refusal.reason {
        case .limit:
            self.init(
                .rateLimited,
                "The limit of \(name), \(refusal.limit?.text ?? "as the provider says"), is reached; the next call can pass in \(seconds) s.",
                retryAfter: seconds)
        case .lineFull:
            self.init(
                .rateLimited, "\(category.waiting) calls wait for \(name) already.", retryAfter: seconds)
        case .pause:
            self.init(
                .quotaPaused, "The provider takes no calls of \(name) for another \(seconds) s.",
                retryAfter: seconds)
        case .ledgerAway:
            self.init(
                .quotaPaused,
                "Nobody can tell at present how much of the limit of \(name) is left: the ledger does not answer.",
                retryAfter: seconds)
            isOurs = true
        }
        self.category = category.name
        if let limit = refusal.limit {
            let milliseconds = (refusal.retryIn.nanoseconds + 999_999) / 1_000_000
            quota = QuotaNotice(limit: limit.count, reset: (wall + milliseconds + 999) / 1_000)
        }
    }
}
