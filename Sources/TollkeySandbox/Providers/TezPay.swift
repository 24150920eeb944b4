import Synchronization

/// TezPay: a JSON login whose token lives twelve hours, says twenty-four, and holds the secret.
final class TezPay: Play {
    private static let paths = "/api/v1/tezpay"

    let provider = Provider.tezpay
    private let credentials: SandboxCredentials
    private let lifetimes: Lifetimes
    private let tokens = Mutex(TokenTable<Void>())

    init(credentials: SandboxCredentials, lifetimes: Lifetimes) {
        self.credentials = credentials
        self.lifetimes = lifetimes
    }

    func places(for call: Call?) -> CredentialPlaces { CredentialPlaces(allOf: ["Authorization"]) }

    func isOpen(_ call: Call) -> Bool { call.path == Self.paths + "/authenticate" }

    func tokenCall(_ call: Call) -> TokenCall? { isOpen(call) ? .login : nil }

    func findings(in call: Call, now: Int64) -> [Finding] {
        let seconds = call.bearer.flatMap { token in tokens.withLock { $0.overdue(token, now: now) } }
        return [Finding(expired: "Authorization", since: seconds)].compactMap { $0 }
    }

    func refusal(of call: Call, now: Int64) -> Answer? {
        guard let token = call.bearer else { return Self.detail(401, "Invalid token") }
        if token == credentials.tezpayStaticToken { return nil }
        switch tokens.withLock({ $0.find(token, now: now) }) {
        case .good: return nil
        case .expired: return words(for: .expired, now: now)
        case .unknown: return Self.detail(401, "Invalid token")
        }
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        switch (call.method, call.path) {
        case ("POST", Self.paths + "/authenticate"): return authenticate(call, now: now)
        case ("POST", Self.paths + "/process-payment"):
            let reference = call.json?["merchant_reference"] ?? .null
            return Answer(
                200,
                [
                    "transaction_id": .text(Chance.name("TXN", bytes: 6)), "merchant_reference": reference,
                    "status": "PENDING",
                ])
        case ("GET", Self.paths + "/get-status"):
            guard let id = call.queryValue("transaction_id") else {
                return words(for: .badRequest("transaction_id is required"), now: now)
            }
            return Answer(200, ["transaction_id": .text(id), "status": "COMPLETED"])
        default: return nil
        }
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized: return Self.detail(401, "Invalid token")
        case .expired: return Self.detail(401, "Token has expired")
        case .badRequest(let what): return Self.detail(400, what)
        case .notFound: return Self.detail(404, "Not Found")
        case .rateLimited(let seconds):
            var answer = Self.detail(429, "Too many requests")
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError: return Self.detail(500, "Authentication service error")
        }
    }

    func revokeIssued() {
        tokens.withLock { $0.removeAll() }
    }

    private func authenticate(_ call: Call, now: Int64) -> Answer {
        guard let body = call.declaredJSON else {
            return words(for: .badRequest("JSON is required"), now: now)
        }
        guard body["client_id"]?.string == credentials.tezpayClientID,
            body["client_secret"]?.string == credentials.tezpayClientSecret
        else { return Self.detail(401, "Invalid credentials") }
        // Both traps are TezPay's own: the claim outlives `expires_in`, and the payload carries the secret.
        let token = WebToken.make([
            "client_id": .text(credentials.tezpayClientID),
            "client_secret": .text(credentials.tezpayClientSecret), "iat": .number(now),
            "exp": .number(now + lifetimes.tezpayClaimed), "jti": .text(Chance.name("", bytes: 6)),
        ])
        tokens.withLock { $0.add(token, (), expiresAt: now + lifetimes.tezpayAccess) }
        return Answer(
            200,
            [
                "access_token": .text(token), "token_type": "bearer",
                "expires_in": .number(lifetimes.tezpayAccess), "client_id": .text(credentials.tezpayClientID),
            ]
        ).issuing(token)
    }

    private static func detail(_ status: Int, _ text: String) -> Answer {
        Answer(status, ["detail": .text(text)])
    }
}
