import Synchronization

/// Tuku Pay: two headers of one generation; a regenerated key kills the old one at once.
final class Tuku: Play {
    private static let validate = "/api/auth/validate-key"

    let provider = Provider.tuku
    let credentialHeaders = CredentialHeaders(allOf: ["Authorization", "X-App-ID"])
    private let appID: String
    private let key: Mutex<String>

    init(credentials: SandboxCredentials) {
        appID = credentials.tukuAppID
        key = Mutex(credentials.tukuAPIKey)
    }

    func isOpen(_ call: Call) -> Bool { false }

    func refusal(of call: Call, now: Int64) -> Answer? {
        let isGood = call.bearer == key.withLock { $0 } && call.header("x-app-id") == appID
        if isGood { return nil }
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
        case ("POST", "/api/apps/\(appID)/regenerate-api-key"): return regenerate()
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

    private func regenerate() -> Answer {
        let made = Chance.name("tuk_sandbox_")
        key.withLock { $0 = made }
        return Answer(
            200,
            [
                "status": "success", "newApiKey": .text(made),
                "message": "API key regenerated successfully. Please update your app with the new key.",
            ])
    }

    private static func error(_ status: Int, _ message: String) -> Answer {
        Answer(status, ["status": "error", "code": .number(Int64(status)), "message": .text(message)])
    }
}
