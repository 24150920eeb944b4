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
    /// 401 in the provider's words.
    case unauthorized
    /// 429 in the provider's words, with `Retry-After`.
    case rateLimited(seconds: Int64)
    /// 500 in the provider's words.
    case serverError
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
    private static let millisecondsDefault = 1_000

    /// - Parameter text: `NAME` or `NAME=VALUE`; nil for a name that is none, or a value where a number
    ///   belongs
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1)
        let value = parts.count > 1 ? Int(parts[1]) : nil
        guard let name = parts.first, parts.count == 1 || (value ?? -1) >= 0 else { return nil }
        let milliseconds = min(value ?? Self.millisecondsDefault, Self.delayMillisecondsMax)
        switch name {
        case "slow-head": self = .slowHead(milliseconds: milliseconds)
        case "slow-body": self = .slowBody(milliseconds: milliseconds)
        case "close-before-head": self = .closeBeforeHead
        case "close-mid-body": self = .closeMidBody
        case "reset": self = .reset
        case "unauthorized": self = .unauthorized
        case "rate-limited": self = .rateLimited(seconds: value.map(Int64.init) ?? Self.secondsDefault)
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
        case .slowHead, .slowBody, .closeBeforeHead, .closeMidBody, .reset, .unauthorized, .rateLimited,
            .serverError, .garbage, .bothLengths, .stall, .closeAfter:
            false
        }
    }
}
