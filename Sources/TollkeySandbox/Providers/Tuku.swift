import Synchronization

/// Tuku Pay: two headers of one generation; a regenerated key kills the old one at once.
final class Tuku: Play {
    private static let validate = "/api/auth/validate-key"

    let provider = Provider.tuku
    let appID: String
    let secretKey: String
    /// Whether a call without `X-Request-Token` is refused. One that is there is always looked at.
    let needsRequestToken: Bool
    let state: Mutex<State>

    struct State {
        var key: String
        /// Request tokens that came, with the time at which they did first.
        var requestTokens = TokenTable<Int64>()
    }

    init(credentials: SandboxCredentials, needsRequestToken: Bool) {
        appID = credentials.tukuAppID
        secretKey = credentials.tukuSecretKey
        self.needsRequestToken = needsRequestToken
        state = Mutex(State(key: credentials.tukuAPIKey))
    }

    func places(for call: Call?) -> CredentialPlaces {
        let token = [Self.requestTokenHeader]
        return needsRequestToken
            ? CredentialPlaces(allOf: ["Authorization", "X-App-ID"] + token)
            : CredentialPlaces(allOf: ["Authorization", "X-App-ID"], optional: token)
    }

    func isOpen(_ call: Call) -> Bool { false }

    func tokenCall(_ call: Call) -> TokenCall? {
        if call.path == Self.validate { return .validate }
        return call.path == regeneratePath ? .regenerate : nil
    }

    func isSigned(_ call: Call) -> Bool { call.header(Self.requestTokenHeader) != nil }

    func findings(in call: Call, now: Int64) -> [Finding] {
        requestTokenIsReused(in: call, now: now) ? [Finding(.nonceReused, Self.requestTokenHeader)] : []
    }

    func refusal(of call: Call, now: Int64) -> Answer? {
        let isGood = call.bearer == state.withLock { $0.key } && call.header("x-app-id") == appID
        if isGood { return refusal(ofRequestTokenIn: call, now: now) }
        // Its probe refuses in words of its own, with the status that every refusal has.
        guard call.matches("GET", Self.validate) else { return words(for: .unauthorized, now: now) }
        return Answer(401, ["status": "invalid", "message": "API key is invalid or expired."])
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        switch (call.method, call.path) {
        case ("POST", "/api/transactions/create"):
            let body = call.json
            guard let amount = body?["amount"] else {
                return words(for: .badRequest("amount is required."), now: now)
            }
            return Answer(
                201,
                [
                    "status": "success", "transactionId": .text(Chance.name("txn_")), "amount": amount,
                    "currency": body?["currency"] ?? .null,
                ])
        case ("GET", Self.validate):
            return Answer(
                200, ["status": "valid", "appId": .text(appID), "message": "API key is valid."])
        case ("POST", regeneratePath): return regenerate()
        default: return nil
        }
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized, .expired: return Self.error(401, "Invalid API key.")
        case .badRequest(let what): return Self.error(400, what)
        case .notFound: return Self.error(404, "Not found.")
        case .rateLimited(let seconds):
            var answer = Self.error(429, "Too many requests.")
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError: return Self.error(500, "Internal server error.")
        }
    }

    private var regeneratePath: String { "/api/apps/\(appID)/regenerate-api-key" }

    private func regenerate() -> Answer {
        let made = Chance.name("tuk_sandbox_")
        state.withLock { $0.key = made }
        return Answer(
            200,
            [
                "status": "success", "newApiKey": .text(made),
                "message": "API key regenerated successfully. Please update your app with the new key.",
            ]
        ).issuing(made)
    }

    static func error(_ status: Int, _ message: String) -> Answer {
        Answer(status, ["status": "error", "code": .number(Int64(status)), "message": .text(message)])
    }
}
