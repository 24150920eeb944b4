/// A misbehaviour that a call asks for with `X-Sandbox-Fault: NAME[=VALUE]`, or that the next calls are armed
/// with. Milliseconds are cut to `delayMillisecondsMax`.
package enum Fault: Sendable, Equatable {
    /// The header section comes late.
    case slowHead(milliseconds: Int)
    /// The second half of the body comes late.
    case slowBody(milliseconds: Int)
    /// The connection is closed in good order after the request was read.
    case closeBeforeHead
    /// Half of the promised body, then the connection is closed.
    case closeMidBody
    /// The connection is reset (RST) after the request was read.
    case reset
    /// The call has its effect; its answer is never sent, and the connection is closed in good order.
    case loseAnswer
    /// 401 in the provider's words.
    case unauthorized
    /// 429 in the provider's words, with `Retry-After`.
    case rateLimited(seconds: Int64)
    /// The same with a date (RFC 9110 §10.2.3).
    case rateLimitedUntil(seconds: Int64)
    /// 500 in the provider's words.
    case serverError
    /// 503, with `Retry-After`.
    case unavailable(seconds: Int64)
    /// Any status, with a little JSON.
    case status(Int)
    /// A refusal as OAuth's token endpoints word it.
    case oauthError(OAuthError)
    /// 200 with a page for people, as a login form or a captive portal answers.
    case nonsense
    /// 200 with nothing.
    case empty
    /// 200 with JSON that holds nothing.
    case hollow
    /// 200 with so many bytes that are no JSON.
    case huge(bytes: Int64)
    /// 307 to another path of the provider's: whoever follows it sends its secrets again.
    case redirect
    /// Bytes that are not HTTP, then the connection is closed.
    case garbage
    /// An answer with both Content-Length and Transfer-Encoding, then the connection is closed.
    case bothLengths
    /// No answer; the connection is closed after `delayMillisecondsMax`.
    case stall
    /// 413 at once, with the request body left unread.
    case earlyAnswer
    /// A complete answer, then the connection is closed though nothing announced it.
    case closeAfter
    /// The request body is not read, and nothing answered; closed after `delayMillisecondsMax`.
    case neverRead

    /// No delay of the sandbox's is longer.
    package static let delayMillisecondsMax = 60_000

    static let header = "X-Sandbox-Fault"
    private static let secondsDefault: Int64 = 1
    private static let bytesDefault: Int64 = 64 * 1_024 * 1_024
    private static let millisecondsDefault = 1_000

    /// - Parameter text: `NAME` or `NAME=VALUE`; nil for a name that is none, or a value that is none of that name's
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
        guard let name = parts.first else { return nil }
        if name == "oauth-error" {
            guard let error = OAuthError(rawValue: parts.count > 1 ? parts[1] : "invalid_grant") else {
                return nil
            }
            self = .oauthError(error)
        } else {
            let value = parts.count > 1 ? Int(parts[1]) : nil
            guard parts.count == 1 || (value ?? -1) >= 0 else { return nil }
            self.init(name, value)
        }
    }

    private init?(_ name: String, _ value: Int?) {
        let milliseconds = min(value ?? Self.millisecondsDefault, Self.delayMillisecondsMax)
        let seconds = value.map(Int64.init) ?? Self.secondsDefault
        switch name {
        case "slow-head": self = .slowHead(milliseconds: milliseconds)
        case "slow-body": self = .slowBody(milliseconds: milliseconds)
        case "close-before-head": self = .closeBeforeHead
        case "close-mid-body": self = .closeMidBody
        case "reset": self = .reset
        case "lose-answer": self = .loseAnswer
        case "unauthorized": self = .unauthorized
        case "rate-limited": self = .rateLimited(seconds: seconds)
        case "rate-limited-until": self = .rateLimitedUntil(seconds: seconds)
        case "unavailable": self = .unavailable(seconds: seconds)
        case "status":
            guard let value, CommonPaths.statuses.contains(value) else { return nil }
            self = .status(value)
        case "nonsense": self = .nonsense
        case "empty": self = .empty
        case "hollow": self = .hollow
        case "huge":
            self = .huge(bytes: min(value.map(Int64.init) ?? Self.bytesDefault, CommonPaths.fillerBytesMax))
        case "redirect": self = .redirect
        case "server-error": self = .serverError
        case "garbage": self = .garbage
        case "both-lengths": self = .bothLengths
        case "stall": self = .stall
        case "early-answer": self = .earlyAnswer
        case "close-after": self = .closeAfter
        case "never-read": self = .neverRead
        default: return nil
        }
    }

    /// Whether it strikes when the header section is there, before the body.
    var isBeforeBody: Bool {
        switch self {
        case .earlyAnswer, .neverRead: true
        case .slowHead, .slowBody, .closeBeforeHead, .closeMidBody, .reset, .loseAnswer, .unauthorized,
            .rateLimited, .rateLimitedUntil, .serverError, .unavailable, .status, .oauthError, .nonsense,
            .empty, .hollow, .huge, .redirect, .garbage, .bothLengths, .stall, .closeAfter:
            false
        }
    }
}
