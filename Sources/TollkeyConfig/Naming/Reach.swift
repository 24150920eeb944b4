/// What a template at one place of the description may name, besides secrets.
struct Reach {
    enum Credentials: Equatable {
        case all
        case none
        /// The one that is renewed, which is held meanwhile.
        case own(String)
    }

    var credentials = Credentials.all
    /// Parts of the request that is being forwarded.
    var hasRequest = false
    /// What the step itself gives.
    var inputs: [String] = []
    /// Whether a name that nothing else has is an input: something that the user will say.
    var asksForMore = false

    /// Headers and query parameters of a call that is forwarded.
    static let forwarded = Reach(hasRequest: true)
    /// A call about credentials that are there.
    static let probe = Reach()
    static let obtain = Reach(credentials: .none)
    static func refresh(_ credential: String) -> Reach {
        Reach(credentials: .own(credential), inputs: ["refresh_token"])
    }
    static func authorize(pkce: Bool) -> Reach {
        Reach(credentials: .none, inputs: ["redirect_uri", "state"] + (pkce ? ["code_challenge"] : []))
    }
    static func exchange(pkce: Bool) -> Reach {
        Reach(credentials: .none, inputs: ["code", "redirect_uri"] + (pkce ? ["code_verifier"] : []))
    }
    static let requestOTP = Reach(inputs: ["operation"], asksForMore: true)
    static let verifyOTP = Reach(inputs: ["otp_id", "code"])
    static let verified = Reach(inputs: ["verification_token"])

    /// Names that steps give, and who gives them. Nothing of the user's may be called so.
    static let givers: [String: String] = [
        "request": "the call that is forwarded", "scopes": "\"scopes\"",
        "refresh_token": "\"refresh\"", "redirect_uri": "\"login\"", "state": "\"login\"",
        "code": "\"login.exchange\" and \"otp.verify\"", "code_challenge": "\"login\" with \"pkce: true\"",
        "code_verifier": "\"login.exchange\" with \"pkce: true\"", "operation": "\"otp.request\"",
        "otp_id": "\"otp.verify\"", "verification_token": "\"otp.inject\"",
    ]
}
