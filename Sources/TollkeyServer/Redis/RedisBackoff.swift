import TollkeyCore

/// When a connection may be tried again, and what to say until then.
struct RedisBackoff {
    private var last: RedisFailure?
    private var nextTry = MonotonicTime(nanoseconds: .min)
    private var pause = Self.least

    static let least: Duration = .milliseconds(50)
    static let most: Duration = .seconds(1)

    /// The failure that is still waited for; nil when a try may be made.
    func failure(at now: MonotonicTime) -> RedisFailure? { now < nextTry ? last?.beforeSending : nil }

    mutating func note(_ failure: RedisFailure, at now: MonotonicTime) {
        last = failure
        nextTry = now + TimeSpan(pause)
        pause = min(pause * 2, Self.most)
    }

    /// The server has answered.
    mutating func reset() { self = RedisBackoff() }
}
