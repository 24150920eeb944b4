import Synchronization

/// Pixlpay: a token from a dashboard, with scopes; a missing one is named in the refusal.
final class Pixlpay: Play {
    /// The resources with what their scopes are called. Analytics can only be read.
    private static let resources: Set<Substring> = [
        "products", "orders", "customers", "analytics", "webhooks", "settings",
    ]
    private static let readTokenScopes: Set<String> = ["products:read", "orders:read"]
    private static let tokensMax = 16

    let provider = Provider.pixlpay
    /// Token → scopes; nil for all of them.
    private let tokens: Mutex<[String: Set<String>?]>

    init(credentials: SandboxCredentials) {
        tokens = Mutex([
            credentials.pixlpayToken: nil, credentials.pixlpayReadToken: Self.readTokenScopes,
        ])
    }

    func places(for call: Call?) -> CredentialPlaces { CredentialPlaces(allOf: ["Authorization"]) }

    func isOpen(_ call: Call) -> Bool { false }

    func refusal(of call: Call, now: Int64) -> Answer? {
        guard let token = call.bearer, let scopes = tokens.withLock({ $0[token] }) else {
            return words(for: .unauthorized, now: now)
        }
        guard let scopes, let scope = Self.scope(of: call), !scopes.contains(scope) else { return nil }
        return Self.failure(403, "Forbidden", "Token does not have the required scope: \(scope)")
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        let segments = call.segments
        guard let resource = segments.first, Self.resources.contains(resource), segments.count <= 3 else {
            return nil
        }
        let id = segments.count > 1 ? String(segments[1]) : nil
        switch (call.method, id) {
        case ("GET", nil), ("HEAD", nil):
            let content: JSON = [
                ["id": .text("\(resource.dropLast())_1")], ["id": .text("\(resource.dropLast())_2")],
            ]
            return Answer(200, ["success": true, "data": content])
        case ("GET", let id?), ("HEAD", let id?): return Answer(200, Self.success(id))
        case ("POST", let id):
            let made = id ?? Chance.name("\(resource.dropLast())_", bytes: 6)
            return Answer(id == nil ? 201 : 200, Self.success(made))
        case ("PUT", let id?), ("PATCH", let id?): return Answer(200, Self.success(id))
        case ("DELETE", .some): return Answer(204)
        default: return Self.failure(405, "Method Not Allowed", "This method is not supported here")
        }
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized, .expired:
            return Self.failure(401, "Unauthorized", "Invalid or missing API token")
        case .badRequest(let what): return Self.failure(400, "Bad Request", what)
        case .notFound: return Self.failure(404, "Not Found", "Resource not found")
        case .rateLimited(let seconds):
            var answer = Self.failure(429, "Too Many Requests", "Rate limit exceeded")
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError:
            return Self.failure(500, "Internal Server Error", "An unexpected error occurred")
        }
    }

    func add(token: String, scopes: [String]?) -> Bool {
        tokens.withLock { tokens in
            guard tokens.count < Self.tokensMax, tokens[token] == nil else { return false }
            tokens.updateValue(scopes.map { Set($0) }, forKey: token)
            return true
        }
    }

    func revoke(token: String) -> Bool {
        tokens.withLock { $0.removeValue(forKey: token) != nil }
    }

    /// `orders:write` for anything but reading orders; nil for paths no scope guards.
    private static func scope(of call: Call) -> String? {
        guard let resource = call.segments.first, resources.contains(resource) else { return nil }
        let reads = call.method == "GET" || call.method == "HEAD"
        return "\(resource):\(reads ? "read" : "write")"
    }

    private static func success(_ id: String) -> JSON { ["success": true, "data": ["id": .text(id)]] }

    private static func failure(_ status: Int, _ error: String, _ message: String) -> Answer {
        Answer(status, ["success": false, "error": .text(error), "message": .text(message)])
    }
}
