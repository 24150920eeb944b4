/// How a provider said no to a token call (RFC 6749 §5.2, and what providers make of it).
package struct TokenRefusal: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The credentials or the call itself are wrong; the same call would be refused again.
        case rejected
        /// What the call spent is dead: a refresh token, or a code.
        case grantDead
        /// Too many calls. With what `Retry-After` says.
        case limited(retryAfter: Duration?)
        /// The provider's trouble. With what `Retry-After` says.
        case unavailable(retryAfter: Duration?)
    }

    package var reason: Reason
    package var status: Int
    /// The provider's own word for it, `[A-Za-z0-9_.-]{1,64}`, where the answer has one.
    package var code: String?

    package init(reason: Reason, status: Int, code: String?) {
        self.reason = reason
        self.status = status
        self.code = code
    }

    /// Of an answer with a status from 400 to 599.
    init(_ reading: AnswerReading, wasRefresh: Bool, asked: Moment) {
        let codes = ErrorCode.all(in: reading)
        let retryAfter = RetryAfter.read(reading.answer, asked: asked)
        status = reading.answer.status
        code = ErrorCode.mostTelling(codes)?.text
        reason =
            switch status {
            case 429: .limited(retryAfter: retryAfter)
            // Request Timeout and Too Early are about the moment (RFC 9110 §15.5.9, RFC 8470 §5.2).
            case 408, 425, 500...: .unavailable(retryAfter: retryAfter)
            case _ where codes.contains { $0.meaning == .trouble }: .unavailable(retryAfter: retryAfter)
            default: Self.isGrantDead(status, codes, wasRefresh: wasRefresh) ? .grantDead : .rejected
            }
    }

    /// Of an answer with a status of success that has a known error code in place of a token.
    init?(inSuccess reading: AnswerReading, wasRefresh: Bool) {
        let codes = ErrorCode.all(in: reading)
        status = reading.answer.status
        code = ErrorCode.mostTelling(codes)?.text
        if codes.contains(where: { $0.meaning == .grantDead || wasRefresh && $0.meaning == .tokenDead }) {
            reason = .grantDead
        } else if codes.contains(where: { $0.meaning == .rejected }) {
            reason = .rejected
        } else if codes.contains(where: { $0.meaning == .trouble }) {
            reason = .unavailable(retryAfter: nil)
        } else {
            return nil
        }
    }

    /// A refresh that is refused without a reason has spent a dead token: whoever logs in by itself does so next.
    private static func isGrantDead(_ status: Int, _ codes: [ErrorCode], wasRefresh: Bool) -> Bool {
        if codes.contains(where: { $0.meaning == .grantDead }) { return true }
        if codes.contains(where: { $0.meaning == .rejected }) { return false }
        guard wasRefresh else { return false }
        switch status {
        case 401: return true
        case 400: return codes.isEmpty || codes.contains { $0.meaning == .tokenDead }
        default: return false
        }
    }

    /// A clause for people.
    package var words: String {
        let answered = code.map { "\(status), \($0)" } ?? "\(status)"
        switch reason {
        case .rejected where status == 403:
            return
                "the provider forbids the token call (\(answered)): check the secrets and what the account may do"
        case .rejected where status == 401 || code?.lowercased() == "invalid_client":
            return "the provider rejected the credentials (\(answered)): check the secrets"
        case .rejected:
            return "the provider rejected the token call (\(answered)): check its address and content"
        case .grantDead: return "the provider no longer accepts what the call spent (\(answered))"
        case .limited(let span): return "the provider limits token calls (\(answered))" + Self.asks(span)
        case .unavailable(let span): return "the provider is in trouble (\(answered))" + Self.asks(span)
        }
    }

    private static func asks(_ span: Duration?) -> String {
        span.map { " and asks to wait for \($0.wholeSeconds) s" } ?? ""
    }
}
