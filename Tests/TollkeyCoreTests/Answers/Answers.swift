import TollkeyCore

/// An answer with JSON in it.
func answer(_ status: Int = 200, _ content: String, _ fields: [(String, String)] = []) -> TokenAnswer {
    TokenAnswer(
        status: status, fields: fields.map { AnswerField($0.0, $0.1) }, content: Secret(content))
}

extension AnswerPlace {
    static func member(_ names: String...) -> AnswerPlace { .json(names.map { .member($0) }) }
}

/// An unsigned JWT with these claims, as JSON text.
func jwt(_ claims: String) -> String {
    "\(Base64URL.encode(bytes(#"{"alg":"HS256"}"#))).\(Base64URL.encode(bytes(claims))).c2lnbmF0dXJl"
}

/// 15 January 2026, 10:30:00 UTC, in milliseconds; its `Date` is `Thu, 15 Jan 2026 10:30:00 GMT`.
let noon: Int64 = 1_768_473_000_000
let noonDate = "Thu, 15 Jan 2026 10:30:00 GMT"
let asked = Moment(wall: noon, monotonic: 5_000_000_000)

/// Tokens in `access`, seconds in `expires_in`, a date in `expires_at`, a refresh token in `refresh`.
func usual(_ change: (inout ReadSettings) -> Void = { _ in }) -> ReadSettings {
    var settings = ReadSettings(token: .member("access"))
    settings.refreshToken = .member("refresh")
    settings.expiry = [.seconds(.member("expires_in")), .date(.member("expires_at"))]
    settings.refreshExpiry = [.seconds(.member("refresh_expires_in"))]
    change(&settings)
    return settings
}

func grant(
    _ answer: TokenAnswer, _ settings: ReadSettings = usual(), lifetime: Duration? = nil,
    refreshLifetime: Duration? = nil, asked: Moment = asked, kept: [String: Secret] = [:],
    wasRefresh: Bool = false
) throws(GrantFault) -> Grant {
    try Grant.read(
        answer, settings, lifetime: lifetime, refreshLifetime: refreshLifetime, asked: asked, kept: kept,
        wasRefresh: wasRefresh)
}

/// Why the answer gives no grant; nil when it does.
func fault(
    _ answer: TokenAnswer, _ settings: ReadSettings = usual(), wasRefresh: Bool = false
) -> GrantFault? {
    do throws(GrantFault) {
        _ = try grant(answer, settings, wasRefresh: wasRefresh)
        return nil
    } catch {
        return error
    }
}

/// How an answer refuses a token call.
func reason(
    _ answer: TokenAnswer, wasRefresh: Bool = false, asked: Moment = asked
) -> TokenRefusal.Reason? {
    guard case .refused(let refusal) = GrantFault(answer, wasRefresh: wasRefresh, asked: asked) else {
        return nil
    }
    return refusal.reason
}
