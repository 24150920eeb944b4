import Synchronization

/// An invented provider for what the five have not. The first segment of a path says what it wants:
///
/// | path | credential |
/// |---|---|
/// | `/basic/…` | `Authorization: Basic`, client id and secret |
/// | `/query/…` | `api_key` in the query |
/// | `/signed/…` | the headers of `Acme+Signature` |
/// | `/quirk/…` | a token of `/oauth/token`; a refused one is answered 403 with `TOKEN_EXPIRED` |
/// | every other | a token of `/oauth/token` |
///
/// Besides that, an `X-Request-Id` is a UUID that never came before (and is there below `/uuid/`), and an
/// `X-Session` is the one that came with the token (and is there below `/session/`).
final class Acme: Play {
    struct State {
        /// Access token → the session that came with it.
        var access = TokenTable<String>()
        var refresh = TokenTable<Void>()
        /// Refresh tokens that were exchanged.
        var spent = TokenTable<Void>()
        var codes = TokenTable<AuthorizationCode>()
        /// Authorization codes that were exchanged.
        var spentCodes = TokenTable<Void>()
        var requestIDs = TokenTable<Void>()
        var nonces = TokenTable<Void>()
        var keys: Set<String>
    }

    private static let keysMax = 16

    let provider = Provider.acme
    let credentials: SandboxCredentials
    let lifetimes: Lifetimes
    let state: Mutex<State>

    init(credentials: SandboxCredentials, lifetimes: Lifetimes) {
        self.credentials = credentials
        self.lifetimes = lifetimes
        state = Mutex(State(keys: [credentials.acmeAPIKey]))
    }

    func places(for call: Call?) -> CredentialPlaces {
        switch call?.segments.first {
        case "query": CredentialPlaces(query: ["api_key"])
        case "signed": CredentialPlaces(allOf: Self.signatureHeaders)
        case "session": CredentialPlaces(allOf: ["Authorization", "X-Session"], optional: ["X-Request-Id"])
        default: CredentialPlaces(allOf: ["Authorization"], optional: ["X-Session", "X-Request-Id"])
        }
    }

    func isOpen(_ call: Call) -> Bool {
        ["oauth", "login", "authorize"].contains(call.segments.first)
    }

    func tokenCall(_ call: Call) -> TokenCall? {
        guard isOpen(call), call.segments.first != "authorize" else { return nil }
        return switch call.formValue("grant_type") {
        case "refresh_token": .refresh
        case "authorization_code": .exchange
        default: .login
        }
    }

    func isSigned(_ call: Call) -> Bool { call.segments.first == "signed" }

    func findings(in call: Call, now: Int64) -> [Finding] {
        state.withLock { state in
            [
                Finding(
                    expired: "Authorization",
                    since: call.bearer.flatMap { state.access.overdue($0, now: now) }),
                Self.isMixed(call, state, now: now)
                    ? Finding(.mixedGenerations, "Authorization and X-Session") : nil,
                Self.isReused(call.header("x-request-id"), in: &state.requestIDs)
                    ? Finding(.nonceReused, "X-Request-Id") : nil,
                isSigned(call) && Self.isReused(call.header(Self.nonceHeader), in: &state.nonces)
                    ? Finding(.nonceReused, Self.nonceHeader) : nil,
            ].compactMap { $0 }
        }
    }

    func refusal(of call: Call, now: Int64) -> Answer? {
        if let id = call.header("x-request-id") {
            guard Self.isRandomUUID(id) else {
                return words(for: .badRequest("X-Request-Id is no UUID"), now: now)
            }
        } else if call.segments.first == "uuid" {
            return words(for: .badRequest("X-Request-Id is missing"), now: now)
        }
        switch call.segments.first {
        case "basic":
            if call.header("authorization") == clientBasic { return nil }
            var answer = words(for: .unauthorized, now: now)
            answer.add("WWW-Authenticate", "Basic realm=\"sandbox\"")
            return answer
        case "query":
            let key = call.queryValue("api_key") ?? ""
            return state.withLock { $0.keys.contains(key) } ? nil : words(for: .unauthorized, now: now)
        case "signed": return refusal(ofSignatureIn: call, now: now)
        case "quirk": return tokenRefusal(of: call, now: now).map { _ in Self.error(403, "TOKEN_EXPIRED") }
        default: return tokenRefusal(of: call, now: now)
        }
    }

    func answer(_ call: Call, now: Int64) -> Answer? {
        let shape = call.segments.count > 2 ? Shape(rawValue: String(call.segments[2])) : .seconds
        switch (call.method, call.segments.first, call.segments.dropFirst().first) {
        case ("GET", "authorize", nil): return authorize(call, now: now)
        case ("POST", "oauth", "token"): return shape.flatMap { token(call, shape: $0, now: now) }
        case ("POST", "login", "json"):
            let body = call.declaredJSON
            return shape.flatMap { logIn(body?["id"]?.string, body?["secret"]?.string, $0, now) }
        case ("POST", "login", "query"), ("GET", "login", "query"):
            return shape.flatMap { logIn(call.queryValue("id"), call.queryValue("secret"), $0, now) }
        case (_, "oauth", _), (_, "login", _), (_, "authorize", _): return nil
        // Good credentials that do not suffice: a 403 that asks for no renewal.
        case (_, "quirk", "forbidden"): return Self.error(403, "FORBIDDEN")
        default: return Answer(200, ["status": "ok", "path": .text(call.path)])
        }
    }

    func words(for refusal: Refusal, now: Int64) -> Answer {
        switch refusal {
        case .unauthorized: return Self.error(401, "UNAUTHENTICATED")
        case .expired: return Self.error(401, "TOKEN_EXPIRED")
        case .badRequest(let what): return Self.error(400, "INVALID_REQUEST", what)
        case .notFound: return Self.error(404, "NOT_FOUND")
        case .rateLimited(let seconds):
            var answer = Self.error(429, "RATE_LIMITED")
            answer.add("Retry-After", String(seconds))
            return answer
        case .serverError: return Self.error(500, "INTERNAL")
        }
    }

    func revokeIssued() {
        state.withLock { state in
            state.access.removeAll()
            state.refresh.removeAll()
            state.codes.removeAll()
        }
    }

    func revokeAccess() {
        state.withLock { $0.access.removeAll() }
    }

    func add(token: String, scopes: [String]?) -> Bool {
        state.withLock { state in
            guard state.keys.count < Self.keysMax else { return false }
            return state.keys.insert(token).inserted
        }
    }

    func revoke(token: String) -> Bool {
        state.withLock { $0.keys.remove(token) != nil }
    }

    static func error(_ status: Int, _ code: String, _ message: String = "No") -> Answer {
        Answer(status, ["error": ["code": .text(code), "message": .text(message)]])
    }

    private func tokenRefusal(of call: Call, now: Int64) -> Answer? {
        guard let token = call.bearer else { return words(for: .unauthorized, now: now) }
        switch state.withLock({ $0.access.find(token, now: now) }) {
        case .good(let session):
            let isOurs = (call.header("x-session") ?? session) == session
            return isOurs ? nil : words(for: .unauthorized, now: now)
        case .expired: return words(for: .expired, now: now)
        case .unknown: return words(for: .unauthorized, now: now)
        }
    }

    /// Whether the call's token and session live, but did not come together.
    private static func isMixed(_ call: Call, _ state: State, now: Int64) -> Bool {
        guard let session = call.header("x-session"), let token = call.bearer,
            case .good(let own) = state.access.find(token, now: now)
        else { return false }
        return session != own
    }

    /// Whether the value has come before. Remembers it.
    private static func isReused(_ value: String?, in seen: inout TokenTable<Void>) -> Bool {
        guard let value else { return false }
        if seen.isKnown(value) { return true }
        seen.add(value, (), expiresAt: .max)
        return false
    }

    /// RFC 9562 §5.4.
    private static func isRandomUUID(_ text: String) -> Bool {
        text.wholeMatch(
            of: #/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89abAB][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}/#)
            != nil
    }
}
