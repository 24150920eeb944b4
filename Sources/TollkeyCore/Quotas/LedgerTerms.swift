/// How a process deals with its ledger: how many permits it holds ahead of demand, and for how long.
package struct LedgerTerms: Sendable, Equatable {
    /// Others draw on the same limits.
    package let isShared: Bool

    package init(isShared: Bool) { self.isShared = isShared }

    /// Permits held ahead by all holders together: a limit's two-hundredth. What lies idle with one is missing to the
    /// others, so that of a small limit nothing lies idle; alone, one is nobody's loss.
    package func ahead(_ limit: LimitSettings, holders: Int) -> Int {
        let share = limit.count / Self.partsAhead / max(1, holders)
        return min(isShared ? share : max(1, share), Self.aheadMax)
    }

    /// What is held counts as used at the end of its lease, until the ledger is told when it was.
    package func life(_ limit: LimitSettings) -> TimeSpan {
        let part = TimeSpan(limit.window).nanoseconds / 10
        return TimeSpan(
            nanoseconds: min(max(part, Self.lifeLeast), isShared ? Self.lifeLeast : Self.lifeMost))
    }

    /// Nanoseconds. A lease outlives by far the asking for it.
    private static let lifeLeast: Int64 = 2_000_000_000
    private static let lifeMost: Int64 = 60_000_000_000

    private static let partsAhead = 200
    private static let aheadMax = 10_000
}
