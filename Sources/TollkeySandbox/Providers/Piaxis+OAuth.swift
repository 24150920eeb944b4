import Synchronization

/// Piaxis' authorization code flow. The authorize call names the client `merchant_id`, the token calls name
/// it `client_id`: the same value, as in its document.
extension Piaxis {
    /// Answers as if the user had said yes at once.
    func authorize(_ call: Call, now: Int64) -> Answer {
        guard call.queryValue("merchant_id") == credentials.piaxisClientID else {
            return error(400, "INVALID_CLIENT", "Unknown merchant_id", now: now)
        }
        guard call.queryValue("response_type") == "code" else {
            return error(400, "UNSUPPORTED_RESPONSE_TYPE", "response_type must be code", now: now)
        }
        guard let redirect = call.queryValue("redirect_uri"), Self.isSendable(redirect) else {
            return error(400, "INVALID_REDIRECT_URI", "redirect_uri is not registered", now: now)
        }
        let code = Chance.name("code_")
        let grant = AuthorizationCode(redirectURI: redirect, scope: call.queryValue("scope") ?? "")
        state.withLock {
            $0.codes.add(code, grant, expiresAt: now + lifetimes.piaxisAuthorizationCode)
        }
        var location = redirect + (redirect.contains("?") ? "&" : "?") + "code=" + code
        if let state = call.queryValue("state") { location += "&state=" + Encoding.percentEncoded(state) }
        var answer = Answer(302)
        answer.add("Location", location)
        answer.body = .bytes([])
        return answer.issuing(code)
    }

    /// A code is good once, within its life, with the redirect URI it was asked with (RFC 6749 §4.1.3).
    func exchange(_ call: Call, now: Int64) -> Answer {
        guard call.isForm else { return words(for: .badRequest("A form is required"), now: now) }
        guard call.formValue("client_id") == credentials.piaxisClientID else {
            return error(401, "INVALID_CLIENT", "Unknown client_id", now: now)
        }
        guard call.formValue("grant_type") == "authorization_code" else {
            return error(400, "UNSUPPORTED_GRANT_TYPE", "grant_type must be authorization_code", now: now)
        }
        let code = call.formValue("code") ?? ""
        let refused = error(400, "INVALID_GRANT", "The authorization code is invalid or expired", now: now)
        let grant: AuthorizationCode? = state.withLock { state in
            guard case .good(let grant) = state.codes.find(code, now: now) else { return nil }
            state.codes.remove(code)
            state.spentCodes.add(code, (), expiresAt: .max)
            return grant
        }
        guard let grant else {
            let isSpent = state.withLock { $0.spentCodes.isKnown(code) }
            return isSpent ? refused.finding(.codeSpentTwice, "code") : refused
        }
        guard grant.redirectURI == call.formValue("redirect_uri") else { return refused }
        return issue(scope: grant.scope, withRefresh: true, now: now)
    }

    /// Answers a new access token. The refresh token stays as it is: Piaxis' own samples keep the old one.
    func refresh(_ call: Call, now: Int64) -> Answer {
        guard call.isForm else { return words(for: .badRequest("A form is required"), now: now) }
        guard call.formValue("client_id") == credentials.piaxisClientID else {
            return error(401, "INVALID_CLIENT", "Unknown client_id", now: now)
        }
        guard call.formValue("grant_type") == "refresh_token" else {
            return error(400, "UNSUPPORTED_GRANT_TYPE", "grant_type must be refresh_token", now: now)
        }
        let token = call.formValue("refresh_token") ?? ""
        guard case .good(let scope) = state.withLock({ $0.refresh.find(token, now: now) }) else {
            return error(400, "INVALID_GRANT", "The refresh token is invalid or expired", now: now)
        }
        return issue(scope: scope, withRefresh: false, now: now)
    }

    private func issue(scope: String, withRefresh: Bool, now: Int64) -> Answer {
        let access = WebToken.make([
            "jti": .text(Chance.name("")), "scope": .text(scope), "iat": .number(now),
            "exp": .number(now + lifetimes.piaxisAccess),
        ])
        let refresh = withRefresh ? Chance.name("piaxis_refresh_", bytes: 20) : nil
        state.withLock { state in
            state.access.add(
                access, Set(scope.split(separator: " ")), expiresAt: now + lifetimes.piaxisAccess)
            if let refresh {
                state.refresh.add(refresh, scope, expiresAt: now + lifetimes.piaxisRefresh)
            }
        }
        var body: JSON = [
            "access_token": .text(access), "token_type": "Bearer",
            "expires_in": .number(lifetimes.piaxisAccess),
        ]
        if let refresh { body = body.adding("refresh_token", .text(refresh)) }
        let answer = Answer(200, body.adding("scope", .text(scope)).adding("meta", meta(now: now)))
            .issuing(access)
        return refresh.map { answer.issuing($0) } ?? answer
    }

    /// Loopback, as a command line tool registers it (RFC 8252 §7.3), or https; nothing that could break the
    /// header it is written into.
    static func isSendable(_ uri: String) -> Bool {
        let starts = ["https://", "http://127.0.0.1", "http://localhost", "http://[::1]"]
        return starts.contains { uri.hasPrefix($0) } && uri.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
