/// When spans are sent, and how often a batch is tried: what is decided, not done.
package struct ExportPace: Sendable, Equatable {
    /// What becomes of a batch.
    package enum Verdict: Sendable, Equatable {
        case taken
        /// Tried again when the pace says so.
        case kept
        case lost
    }

    private var nextSend: MonotonicTime
    private var tries = 0
    /// The last batch was not taken: also full ones wait.
    private var isHeldUp = false

    /// Spans wait for others this long.
    package static let interval: Duration = .seconds(5)
    /// Of one batch.
    package static let triesMax = 5
    /// The first wait for a collector that does not take spans; each is twice the one before.
    package static let pauseLeast: Duration = .seconds(1)
    /// The longest that is waited because the collector asks for it.
    package static let pauseMost: Duration = .seconds(60)

    package init(at now: MonotonicTime) { nextSend = now + TimeSpan(Self.interval) }

    /// Whether it is time: `isFull` when a whole batch waits.
    package func isDue(isFull: Bool, at now: MonotonicTime) -> Bool {
        !isHeldUp && isFull || now >= nextSend
    }

    package func wait(at now: MonotonicTime) -> Duration { .nanoseconds(nextSend.since(now).nanoseconds) }

    /// `status` is the collector's; nil when there is none. `chance`, from 0 to 1, spreads those that wait.
    package mutating func note(
        status: Int?, retryAfter: Duration?, chance: Double, at now: MonotonicTime
    ) -> Verdict {
        let isTaken = status.map { (200...299).contains($0) } ?? false
        isHeldUp = !isTaken
        // OTLP names these four; every other status would be the same again.
        let mayPass = status.map { [429, 502, 503, 504].contains($0) } ?? true
        guard !isTaken, mayPass, tries + 1 < Self.triesMax else {
            tries = 0
            nextSend = now + TimeSpan(Self.interval)
            return isTaken ? .taken : .lost
        }
        tries += 1
        let pause = Self.pauseLeast * (1 << (tries - 1)) * (0.5 + 0.5 * chance)
        nextSend = now + TimeSpan(min(max(pause, retryAfter ?? .zero), Self.pauseMost))
        return .kept
    }
}
