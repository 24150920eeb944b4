import NIOHTTP1
import Synchronization

/// Piaxis: an API key or an OAuth token, limits per category, one-time codes for what is sensitive.
final class Piaxis: Play {
    /// The categories of Piaxis' limit table.
    enum Category: CaseIterable {
        case authentication
        case paymentCreation
        case escrow
        case retrieval
    }

    struct State {
        var windows: [Category: RateWindow]
        /// Access token → scopes.
        var access = TokenTable<Set<Substring>>()
        var refresh = TokenTable<String>()
        var codes = TokenTable<AuthorizationCode>()
        /// Codes that were exchanged.
        var spentCodes = TokenTable<Void>()
        var otps = TokenTable<Approval>()
        var verifications = TokenTable<Approval>()
        var keys: Set<String>
    }

    struct AuthorizationCode {
        let redirectURI: String
        let scope: String
    }

    /// Paths under a common prefix count nowhere: a download test must not spend the quota.
    private static let uncounted = CommonPaths.prefix
    private static let keysMax = 16

    let provider = Provider.piaxis
    let credentials: SandboxCredentials
    let lifetimes: Lifetimes
    let state: Mutex<State>

    init(credentials: SandboxCredentials, lifetimes: Lifetimes, limits: PiaxisLimits) {
        self.credentials = credentials
        self.lifetimes = lifetimes
        state = Mutex(
            State(
                windows: [
                    .authentication: RateWindow(limit: limits.authentication),
                    .paymentCreation: RateWindow(limit: limits.paymentCreation),
                    .escrow: RateWindow(limit: limits.escrow),
                    .retrieval: RateWindow(limit: limits.retrieval),
                ], keys: [credentials.piaxisAPIKey]))
    }

    func places(for call: Call?) -> CredentialPlaces {
        CredentialPlaces(anyOf: ["api-key", "Authorization"], optional: ["X-Verification-Token"])
    }

    func isOpen(_ call: Call) -> Bool {
        ["/api/authorize", "/api/oauth/token", "/api/oauth/refresh"].contains(call.path)
    }

    func tokenCall(_ call: Call) -> TokenCall? {
        switch call.path {
        case "/api/oauth/token": .exchange
        case "/api/oauth/refresh": .refresh
        case "/api/auth/request-otp": .otpRequest
        case "/api/auth/verify-otp": .otpVerify
        default: nil
        }
    }

    func findings(in call: Call, now: Int64) -> [Finding] {
        let verification = call.header("x-verification-token")
        return state.withLock { state in
            [
                Finding(
                    expired: "Authorization",
                    since: call.bearer.flatMap { state.access.overdue($0, now: now) }),
                Finding(
                    expired: "X-Verification-Token",
                    since: verification.flatMap { state.verifications.overdue($0, now: now) }),
            ].compactMap { $0 }
        }
    }

    func admit(_ call: Call, now: Int64) -> Answer? {
        guard !call.path.hasPrefix(Self.uncounted) else { return nil }
        let wait = state.withLock { $0.windows[Self.category(of: call)]?.take(now: now) }
        return wait.flatMap { $0 }.map { words(for: .rateLimited(retryAfter: $0), now: now) }
    }

    func refusal(of call: Call, now: Int64) -> Answer? {
        if let key = call.header("api-key") {
            return state.withLock { $0.keys.contains(key) } ? nil : words(for: .unauthorized, now: now)
        }
        guard let token = call.bearer else { return words(for: .unauthorized, now: now) }
        switch state.withLock({ $0.access.find(token, now: now) }) {
        case .good(let scopes): return refusal(ofScopes: scopes, call: call, now: now)
        case .expired: return words(for: .expired, now: now)
        case .unknown: return words(for: .unauthorized, now: now)
        }
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        switch (call.method, call.path) {
        case ("GET", "/api/authorize"): return authorize(call, now: now)
        case ("POST", "/api/oauth/token"): return exchange(call, now: now)
        case ("POST", "/api/oauth/refresh"): return refresh(call, now: now)
        case ("POST", "/api/auth/request-otp"): return requestOTP(call, now: now)
        case ("POST", "/api/auth/verify-otp"): return verifyOTP(call, now: now)
        case ("POST", "/api/payments/create"): return createPayment(call, now: now)
        case ("POST", "/api/escrow/create"):
            return Answer(
                201, envelope(["escrow_id": .text(Chance.name("e")), "status": "funded"], now: now))
        case ("POST", "/api/escrow/release"): return releaseEscrow(call, now: now)
        default: break
        }
        guard call.method == "GET", call.segments.count == 3, call.path.hasPrefix("/api/payments/") else {
            return nil
        }
        let id = call.segments.last.map(String.init) ?? ""
        return Answer(200, envelope(["payment_id": .text(id), "status": "completed"], now: now))
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized:
            return error(401, "INVALID_API_KEY", "The provided API key is invalid", now: now)
        case .expired:
            return error(401, "TOKEN_EXPIRED", "OAuth access token has expired", now: now)
        case .badRequest(let what): return error(400, "INVALID_REQUEST", what, now: now)
        case .notFound: return error(404, "NOT_FOUND", "No such resource", now: now)
        case .rateLimited(let seconds):
            var answer = error(
                429, "RATE_LIMIT_EXCEEDED", "Too many requests, implement backoff", now: now)
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError: return error(500, "INTERNAL_ERROR", "Something went wrong", now: now)
        }
    }

    func dress(_ answer: inout Answer, for call: Call?, now: Int64) {
        let category = call.map(Self.category) ?? .retrieval
        guard let window = state.withLock({ $0.windows[category] }) else { return }
        answer.add("X-RateLimit-Limit", String(window.limit))
        // A full window that a fault invented has nothing left either: the two headers must not contradict.
        let remaining = answer.status == 429 ? 0 : window.remaining
        answer.add("X-RateLimit-Remaining", String(remaining))
        answer.add("X-RateLimit-Reset", String(window.reset(now: now)))
    }

    func revokeIssued() {
        state.withLock { state in
            state.access.removeAll()
            state.refresh.removeAll()
            state.codes.removeAll()
            state.verifications.removeAll()
        }
    }

    func revokeAccess() {
        state.withLock { $0.access.removeAll() }
    }

    /// Another API key. Every one has full access.
    func add(token: String, scopes: [String]?) -> Bool {
        state.withLock { state in
            guard state.keys.count < Self.keysMax else { return false }
            return state.keys.insert(token).inserted
        }
    }

    func revoke(token: String) -> Bool {
        state.withLock { $0.keys.remove(token) != nil }
    }

    func error(_ status: Int, _ code: String, _ message: String, now: Int64) -> Answer {
        let details: JSON = [
            "timestamp": .text(UnixTime.text(now)), "request_id": .text(Chance.name("req_", bytes: 8)),
        ]
        return Answer(
            status, ["error": ["code": .text(code), "message": .text(message), "details": details]])
    }

    func envelope(_ content: JSON, now: Int64) -> JSON { ["data": content, "meta": meta(now: now)] }

    func meta(now: Int64) -> JSON {
        ["request_id": .text(Chance.name("req_", bytes: 8)), "timestamp": .text(UnixTime.text(now))]
    }

    private func createPayment(_ call: Call, now: Int64) -> Answer {
        guard let body = call.json, let amount = body["amount"] else {
            return words(for: .badRequest("amount is required"), now: now)
        }
        let payment: JSON = [
            "payment_id": .text(Chance.name("pay_")), "amount": amount, "currency": body["currency"] ?? .null,
            "status": "pending",
        ]
        return Answer(201, envelope(payment, now: now))
    }

    private func refusal(ofScopes scopes: Set<Substring>, call: Call, now: Int64) -> Answer? {
        let needed: Substring? =
            switch (call.method, call.path) {
            case ("POST", "/api/payments/create"): "payments:create"
            case ("POST", "/api/escrow/create"): "escrow:create"
            case ("POST", "/api/escrow/release"): "escrow:manage"
            case ("GET", let path) where path.hasPrefix("/api/payments/"): "payments:read"
            default: nil
            }
        guard let needed, !scopes.contains(needed) else { return nil }
        return error(
            403, "INSUFFICIENT_SCOPE", "Token doesn't have required permissions: \(needed)", now: now)
    }

    private static func category(of call: Call) -> Category {
        let isRead = call.method == "GET" || call.method == "HEAD"
        guard call.segments.first == "api", call.segments.count > 1 else { return .retrieval }
        switch call.segments[1] {
        case "oauth", "auth", "authorize": return .authentication
        case "payments": return isRead ? .retrieval : .paymentCreation
        case "escrow": return isRead ? .retrieval : .escrow
        default: return .retrieval
        }
    }
}
