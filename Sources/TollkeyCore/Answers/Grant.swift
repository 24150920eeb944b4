/// What a token call gave.
package struct Grant: Sendable, Equatable {
    package var token: Secret
    /// Nil when the answer has none: the one held before stays good.
    package var refreshToken: Secret?
    /// The further values of the answer, by their names in the configuration.
    package var values: [String: Secret] = [:]
    package var expires: Deadline
    /// From the moment of the call to `expires`.
    package var life: Duration
    /// Nil when nothing says it: the refresh token is tried until it is refused.
    package var refreshExpires: Deadline?
    /// What somebody who wonders about the life should know.
    package var notes: [GrantNote] = []

    package init(token: Secret, expires: Deadline, life: Duration) {
        self.token = token
        self.expires = expires
        self.life = life
    }

    /// No token is believed to live longer: ten years.
    package static let lifeMax: Duration = .seconds(3_652 * 86_400)
    /// Bytes of all further values together.
    package static let valuesMax = 64 << 10
}

package enum GrantNote: Sendable, Equatable {
    /// What should say how long the token lives cannot be read.
    case expiryUnreadable
    /// Nothing says how long the token lives.
    case lifetimeAssumed(Duration)
    /// It is said to live longer than any token is believed to.
    case lifeCapped
    case refreshTokenUnusable
    /// This machine's clock is so far ahead of the provider's; behind it when negative.
    case clockAhead(Duration)

    package var words: String {
        switch self {
        case .expiryUnreadable: "what should say how long the token lives cannot be read"
        case .lifetimeAssumed(let life):
            "nothing says how long the token lives; \(life.wholeSeconds) s are assumed: give 'lifetime'"
        case .lifeCapped: "the token is said to live for more than ten years; ten are believed"
        case .refreshTokenUnusable: "the refresh token in the answer is no text that could be sent back"
        case .clockAhead(let span) where span < .zero:
            "this machine's clock is \(-span.wholeSeconds) s behind the provider's"
        case .clockAhead(let span): "this machine's clock is \(span.wholeSeconds) s ahead of the provider's"
        }
    }

    /// Clocks that differ by more than this are worth a note.
    static let clockDifferenceMax: Duration = .seconds(60)
}

extension Duration {
    var wholeSeconds: Int64 { components.seconds }
}
