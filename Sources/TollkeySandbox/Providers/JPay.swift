import Synchronization

/// JPay Africa: a JSON login, an access token of fifteen minutes, and refresh tokens that work once.
final class JPay: Play {
    private struct State {
        var access = TokenTable<Void>()
        var refresh = TokenTable<Void>()
        /// Refresh tokens that were exchanged.
        var spent = TokenTable<Void>()
    }

    let provider = Provider.jpay
    private let credentials: SandboxCredentials
    private let lifetimes: Lifetimes
    private let state = Mutex(State())

    init(credentials: SandboxCredentials, lifetimes: Lifetimes) {
        self.credentials = credentials
        self.lifetimes = lifetimes
    }

    func places(for call: Call?) -> CredentialPlaces { CredentialPlaces(allOf: ["Authorization"]) }

    func isOpen(_ call: Call) -> Bool { tokenCall(call) != nil }

    func tokenCall(_ call: Call) -> TokenCall? {
        switch call.path {
        case "/auth/app/token": .login
        case "/auth/refresh": .refresh
        default: nil
        }
    }

    func findings(in call: Call, now: Int64) -> [Finding] {
        let seconds = call.bearer.flatMap { token in state.withLock { $0.access.overdue(token, now: now) } }
        return [Finding(expired: "Authorization", since: seconds)].compactMap { $0 }
    }

    func refusal(of call: Call, now: Int64) -> Answer? {
        guard call.header("authorization") != nil else {
            return Self.detail(401, "Authentication credentials were not provided")
        }
        guard let token = call.bearer else { return Self.detail(401, "Malformed Authorization header") }
        if token == credentials.jpayStaticToken { return nil }
        if case .good = state.withLock({ $0.access.find(token, now: now) }) { return nil }
        return words(for: .unauthorized, now: now)
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        switch (call.method, call.path) {
        case ("POST", "/auth/app/token"): return logIn(call, now: now)
        case ("POST", "/auth/refresh"): return refresh(call, now: now)
        case ("GET", "/payments/collections/checkouts"):
            return Answer(200, ["count": 1, "results": [["id": "chk_1", "status": "paid"]]])
        case ("POST", "/payments/collections/checkouts"):
            let amount = call.json?["amount"] ?? .null
            return Answer(
                201, ["id": .text(Chance.name("chk_", bytes: 6)), "amount": amount, "status": "pending"])
        default: return nil
        }
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized, .expired: return Self.detail(401, "Invalid or expired token")
        case .badRequest(let what): return Self.detail(400, what)
        case .notFound: return Self.detail(404, "Not found")
        case .rateLimited(let seconds):
            var answer = Self.detail(429, "Too many requests")
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError: return Self.detail(500, "Internal server error")
        }
    }

    func revokeIssued() {
        state.withLock { state in
            state.access.removeAll()
            state.refresh.removeAll()
        }
    }

    func revokeAccess() {
        state.withLock { $0.access.removeAll() }
    }

    private func logIn(_ call: Call, now: Int64) -> Answer {
        guard let body = call.declaredJSON, let key = body["app_key"]?.string,
            let secret = body["app_secret"]?.string
        else { return words(for: .badRequest("Missing required fields"), now: now) }
        guard key == credentials.jpayAppKey, secret == credentials.jpayAppSecret else {
            return Self.detail(401, "Incorrect App Key/Secret")
        }
        return state.withLock { issue(from: &$0, now: now) }
    }

    /// Spends the old refresh token in the same step as it makes the new one: of two callers, one wins.
    private func refresh(_ call: Call, now: Int64) -> Answer {
        guard let token = call.declaredJSON?["refresh"]?.string else {
            return words(for: .badRequest("Missing required fields"), now: now)
        }
        return state.withLock { state in
            if state.spent.isKnown(token) {
                return words(for: .unauthorized, now: now).finding(.refreshSpentTwice, "refresh")
            }
            guard case .good = state.refresh.find(token, now: now) else {
                return words(for: .unauthorized, now: now)
            }
            state.refresh.remove(token)
            state.spent.add(token, (), expiresAt: .max)
            return issue(from: &state, now: now)
        }
    }

    /// No `expires_in`: only the token's own `exp` says when it dies.
    private func issue(from state: inout State, now: Int64) -> Answer {
        let access = Self.token("access", now: now, life: lifetimes.jpayAccess)
        let refresh = Self.token("refresh", now: now, life: lifetimes.jpayRefresh)
        state.access.add(access, (), expiresAt: now + lifetimes.jpayAccess)
        state.refresh.add(refresh, (), expiresAt: now + lifetimes.jpayRefresh)
        return Answer(200, ["access": .text(access), "refresh": .text(refresh)]).issuing(access, refresh)
    }

    private static func token(_ kind: String, now: Int64, life: Int64) -> String {
        WebToken.make([
            "token_type": .text(kind), "iat": .number(now), "exp": .number(now + life),
            "jti": .text(Chance.name("")),
        ])
    }

    private static func detail(_ status: Int, _ text: String) -> Answer {
        Answer(status, ["detail": .text(text)])
    }
}
