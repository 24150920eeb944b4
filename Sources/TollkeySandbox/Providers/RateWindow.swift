/// Piaxis' counting: a fixed window of an hour that begins with its first call.
struct RateWindow: Sendable {
    static let seconds: Int64 = 3_600

    let limit: Int
    private var used = 0
    private var endsAt: Int64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    var remaining: Int { max(0, limit - used) }

    /// The end of the window, or what it would be if it began now.
    func reset(now: Int64) -> Int64 { endsAt > now ? endsAt : now + Self.seconds }

    /// Counts one call. Answers nil, or the seconds until the window ends when it is full.
    mutating func take(now: Int64) -> Int64? {
        if now >= endsAt { (used, endsAt) = (0, now + Self.seconds) }
        guard used < limit else { return endsAt - now }
        used += 1
        return nil
    }
}
