/// One provider's one-time passwords: the codes that somebody is about to type, and the verification tokens that came
/// of them, each good for one operation.
package struct VerificationLedger: Sendable {
    /// Who asked for a code.
    package enum Origin: String, Sendable { case application, person }

    /// A code has been sent to a person. Left by being verified, or by its end.
    package struct OpenCode: Sendable, Equatable {
        package var otpID: Secret
        package var operation: String
        /// What exactly the operation is about; nil when the request did not say it.
        package var subject: String?
        package var origin: Origin
        package var expires: Deadline

        package init(
            otpID: Secret, operation: String, subject: String?, origin: Origin, expires: Deadline
        ) {
            self.otpID = otpID
            self.operation = operation
            self.subject = subject
            self.origin = origin
            self.expires = expires
        }
    }

    /// A person has said yes. Left by its end, or by the provider's refusal.
    package struct Token: Sendable, Equatable {
        package var token: Secret
        package var operation: String
        /// As of the code: nil is good for any.
        package var subject: String?
        package var origin: Origin
        package var expires: Deadline

        package init(
            token: Secret, operation: String, subject: String?, origin: Origin, expires: Deadline
        ) {
            self.token = token
            self.operation = operation
            self.subject = subject
            self.origin = origin
            self.expires = expires
        }
    }

    /// In the order in which they were noted, at most `OTPSettings.heldMax`.
    package private(set) var codes: [OpenCode] = []
    /// In the order in which they were noted, at most `OTPSettings.heldMax`.
    package private(set) var tokens: [Token] = []
    private let codeLifetime: Duration
    private let lifetime: Duration

    /// The provider's yes to a code that was typed in its last second comes behind its end.
    package static let verifyingMax: Duration = .seconds(60)

    /// `codes` and `tokens` are those that an earlier ledger held.
    package init(_ settings: OTPSettings, codes: [OpenCode] = [], tokens: [Token] = []) {
        codeLifetime = settings.codeLifetime + Self.verifyingMax
        lifetime = settings.lifetime
        self.codes = codes.suffix(OTPSettings.heldMax)
        self.tokens = tokens.suffix(OTPSettings.heldMax)
    }

    /// A code was sent to a person.
    package mutating func noteRequest(
        operation: String, subject: String?, otpID: Secret, by origin: Origin = .application, at now: Moment
    ) {
        expire(at: now)
        codes.removeAll { $0.otpID == otpID }
        codes.append(
            OpenCode(
                otpID: otpID, operation: operation, subject: subject, origin: origin,
                expires: now + codeLifetime))
        if codes.count > OTPSettings.heldMax { codes.removeFirst() }
    }

    /// A code was right. `expires` is what the answer says; `OTPSettings.lifetime` is the most that is believed. False
    /// when nobody knows what the code was for, so that the token is of no use.
    package mutating func noteVerified(
        otpID: Secret, token: Secret, expires: Deadline, at now: Moment
    ) -> Bool {
        expire(at: now)
        guard let position = codes.firstIndex(where: { $0.otpID == otpID }) else { return false }
        let code = codes.remove(at: position)
        drop(token)
        tokens.append(
            Token(
                token: token, operation: code.operation, subject: code.subject, origin: code.origin,
                expires: .earlier(expires, now + lifetime)))
        if tokens.count > OTPSettings.heldMax { tokens.removeFirst() }
        return true
    }

    /// The token for `operation` on `subject`. One that is bound to a subject serves that one only, and is taken before
    /// one that serves any; of several the one that lives longest.
    package func token(for operation: String, subject: String?, at now: Moment) -> Secret? {
        let usable = tokens.filter { token in
            guard token.operation.isExactly(operation), !token.expires.isReached(at: now) else {
                return false
            }
            guard let bound = token.subject else { return true }
            return subject?.isExactly(bound) ?? false
        }
        let best = usable.max { a, b in
            if (a.subject == nil) != (b.subject == nil) { return a.subject == nil }
            return a.expires.remaining(at: now) < b.expires.remaining(at: now)
        }
        return best?.token
    }

    /// The provider does not take it any more.
    package mutating func drop(_ token: Secret) {
        tokens.removeAll { $0.token == token }
    }

    /// Forgets what has ended.
    package mutating func expire(at now: Moment) {
        codes.removeAll { $0.expires.isReached(at: now) }
        tokens.removeAll { $0.expires.isReached(at: now) }
    }
}
