import Synchronization

/// Acme's OAuth: client credentials, authorization code with PKCE (RFC 7636), refresh tokens that work once.
extension Acme {
    struct AuthorizationCode {
        let redirectURI: String
        /// Of S256.
        let challenge: String
    }

    private enum Client {
        /// With its secret.
        case proven
        /// One that says its name only, as a program on a person's machine does.
        case named
    }

    /// `Authorization` of a client that proves itself by Basic.
    var clientBasic: String {
        "Basic " + Encoding.base64(Array("\(credentials.acmeClientID):\(credentials.acmeClientSecret)".utf8))
    }

    /// Answers as if the user had said yes at once.
    func authorize(_ call: Call, now: Int64) -> Answer {
        guard call.queryValue("client_id") == credentials.acmeClientID,
            call.queryValue("response_type") == "code",
            let redirect = call.queryValue("redirect_uri"), Piaxis.isSendable(redirect)
        else { return words(for: .badRequest("client_id, response_type or redirect_uri is wrong"), now: now) }
        guard let challenge = call.queryValue("code_challenge"),
            call.queryValue("code_challenge_method") == "S256"
        else { return words(for: .badRequest("code_challenge of S256 is missing"), now: now) }
        let code = Chance.name("acmecode_")
        let grant = AuthorizationCode(redirectURI: redirect, challenge: challenge)
        state.withLock { $0.codes.add(code, grant, expiresAt: now + lifetimes.acmeAuthorizationCode) }
        var location = redirect + (redirect.contains("?") ? "&" : "?") + "code=" + code
        if let state = call.queryValue("state") { location += "&state=" + Encoding.percentEncoded(state) }
        var answer = Answer(302)
        answer.add("Location", location)
        answer.body = .bytes([])
        return answer.issuing(code)
    }

    func token(_ call: Call, shape: Shape, now: Int64) -> Answer {
        guard call.isForm else { return OAuthError.invalidRequest.answer() }
        let client: Client
        switch self.client(of: call) {
        case .success(let found): client = found
        case .failure(let error): return error.answer()
        }
        switch (call.formValue("grant_type"), client) {
        case ("client_credentials", .proven): return issue(shape, withRefresh: false, now: now)
        case ("client_credentials", .named): return OAuthError.invalidClient.answer()
        case ("authorization_code", _): return exchange(call, shape, now: now)
        case ("refresh_token", _): return refresh(call, shape, now: now)
        default: return OAuthError.unsupportedGrantType.answer()
        }
    }

    /// A login that is not OAuth's.
    func logIn(_ id: String?, _ secret: String?, _ shape: Shape, _ now: Int64) -> Answer {
        guard id == credentials.acmeClientID, secret == credentials.acmeClientSecret else {
            return Self.error(401, "WRONG_CREDENTIALS")
        }
        return issue(shape, withRefresh: false, now: now)
    }

    /// By Basic or in the content, and not by both (RFC 6749 §2.3).
    private func client(of call: Call) -> Result<Client, OAuthError> {
        let (id, secret) = (call.formValue("client_id"), call.formValue("client_secret"))
        if let header = call.header("authorization") {
            if secret != nil { return .failure(.invalidRequest) }
            let isRight =
                header == clientBasic && (id ?? credentials.acmeClientID) == credentials.acmeClientID
            return isRight ? .success(.proven) : .failure(.invalidClient)
        }
        guard id == credentials.acmeClientID else { return .failure(.invalidClient) }
        guard let secret else { return .success(.named) }
        return secret == credentials.acmeClientSecret ? .success(.proven) : .failure(.invalidClient)
    }

    private func exchange(_ call: Call, _ shape: Shape, now: Int64) -> Answer {
        let code = call.formValue("code") ?? ""
        let verifier = call.formValue("code_verifier") ?? ""
        let grant: AuthorizationCode? = state.withLock { state in
            guard case .good(let grant) = state.codes.find(code, now: now) else { return nil }
            state.codes.remove(code)
            state.spentCodes.add(code, (), expiresAt: .max)
            return grant
        }
        guard let grant else {
            let refused = OAuthError.invalidGrant.answer()
            let isSpent = state.withLock { $0.spentCodes.isKnown(code) }
            return isSpent ? refused.finding(.codeSpentTwice, "code") : refused
        }
        guard grant.redirectURI == call.formValue("redirect_uri"),
            grant.challenge == Encoding.base64URL(Hash.sha256(Array(verifier.utf8)))
        else { return OAuthError.invalidGrant.answer() }
        return issue(shape, withRefresh: true, now: now)
    }

    private func refresh(_ call: Call, _ shape: Shape, now: Int64) -> Answer {
        let token = call.formValue("refresh_token") ?? ""
        let isGood = state.withLock { state in
            guard case .good = state.refresh.find(token, now: now) else { return false }
            state.refresh.remove(token)
            state.spent.add(token, (), expiresAt: .max)
            return true
        }
        guard isGood else {
            let refused = OAuthError.invalidGrant.answer()
            let isSpent = state.withLock { $0.spent.isKnown(token) }
            return isSpent ? refused.finding(.refreshSpentTwice, "refresh_token") : refused
        }
        return issue(shape, withRefresh: true, now: now)
    }

    private func issue(_ shape: Shape, withRefresh: Bool, now: Int64) -> Answer {
        let end = now + lifetimes.acmeAccess
        let claims: JSON = ["iat": .number(now), "exp": .number(end), "jti": .text(Chance.name(""))]
        let issue = Issue(
            access: shape == .jwt ? WebToken.make(claims) : Chance.name("acmetoken_"),
            session: Chance.name("acmesession_"),
            refresh: withRefresh ? Chance.name("acmerefresh_") : nil, life: lifetimes.acmeAccess)
        state.withLock { state in
            state.access.add(issue.access, issue.session, expiresAt: end)
            if let refresh = issue.refresh {
                state.refresh.add(refresh, (), expiresAt: now + lifetimes.acmeRefresh)
            }
        }
        return answer(issue, as: shape, now: now)
    }
}
