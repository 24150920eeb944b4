/// How OAuth's token endpoints refuse (RFC 6749 §5.2).
package enum OAuthError: String, Error, CaseIterable {
    case invalidRequest = "invalid_request"
    case invalidClient = "invalid_client"
    case invalidGrant = "invalid_grant"
    case unauthorizedClient = "unauthorized_client"
    case unsupportedGrantType = "unsupported_grant_type"
    case invalidScope = "invalid_scope"

    func answer() -> Answer {
        var answer = Answer(self == .invalidClient ? 401 : 400, ["error": .text(rawValue)])
        answer.add("Cache-Control", "no-store")
        // A 401 names a way to do better (RFC 9110 §11.6.1).
        if self == .invalidClient { answer.add("WWW-Authenticate", "Basic realm=\"sandbox\"") }
        return answer
    }
}
