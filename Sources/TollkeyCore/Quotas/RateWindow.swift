/// What one family of fields, or one policy, says of one window.
struct RateWindow: Sendable, Equatable {
    /// Calls.
    var remaining: Int?
    var resetIn: Duration?

    /// Of two that contradict each other the stricter is believed, number by number: for the same field twice.
    mutating func tighten(remaining count: Int) { remaining = min(remaining ?? count, count) }
    mutating func tighten(resetIn span: Duration) { resetIn = max(resetIn ?? span, span) }

    /// Of two windows the stricter: the one with less left, of equals the one that lasts longer.
    func isStricter(than other: RateWindow) -> Bool {
        let (left, right) = (remaining ?? .max, other.remaining ?? .max)
        if left != right { return left < right }
        return (resetIn ?? .zero) > (other.resetIn ?? .zero)
    }

    /// The stricter of two, with what it does not say taken from the other.
    static func stricter(_ a: RateWindow, _ b: RateWindow) -> RateWindow {
        var (window, other) = b.isStricter(than: a) ? (b, a) : (a, b)
        window.remaining = window.remaining ?? other.remaining
        window.resetIn = window.resetIn ?? other.resetIn
        return window
    }
}
