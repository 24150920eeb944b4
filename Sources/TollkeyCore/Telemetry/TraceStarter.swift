/// Decides which requests of one event loop are traced, and draws the ids.
///
/// Its numbers come from xoshiro256** (Blackman and Vigna, 2018): ids have to be unlike each other, not hard to guess.
package struct TraceStarter: Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    /// Below it a request is traced.
    private let threshold: UInt64
    private let tracesAll: Bool

    /// `share`, from 0 to 1, is of the requests without a `traceparent`; `seed` are four random numbers, of this loop
    /// alone.
    package init(share: Double, seed: (UInt64, UInt64, UInt64, UInt64)) {
        // All zeros would stay so.
        state = (seed.0 | 1, seed.1, seed.2, seed.3)
        tracesAll = share >= 1
        threshold = tracesAll ? .max : UInt64(max(0, share) * 0x1p64)
    }

    /// The exchange's own span; nil when there are to be none. With a client's `traceparent` its flag decides.
    package mutating func begin(_ client: TraceContext?) -> TraceContext? {
        if let client { return client.isSampled ? client.child(span: next()) : nil }
        guard tracesAll || threshold > 0 && next() < threshold else { return nil }
        return .root(next(), next(), span: next(), isSampled: true)
    }

    /// A span within the exchange's: an attempt.
    package mutating func child(of context: TraceContext) -> TraceContext { context.child(span: next()) }

    private mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }
}
