/// A provider, played. Called on several event loops: what it remembers stands behind a lock.
protocol Play: Sendable {
    var provider: Provider { get }

    /// Where `call` carries its credentials; nil is a call to no path of the provider's.
    func places(for call: Call?) -> CredentialPlaces

    /// Whether the call needs no credential, as logins do not.
    func isOpen(_ call: Call) -> Bool

    /// What kind of call about a credential it is; nil for every other.
    func tokenCall(_ call: Call) -> TokenCall?

    /// Whether the whole content is needed to judge it.
    func isSigned(_ call: Call) -> Bool

    /// What the call's head does wrong by the provider's own rules. Asked once for each that arrives, also when a
    /// fault answers it; its content has not come.
    func findings(in call: Call, now: Int64) -> [Finding]

    /// A refusal before the credential is looked at, such as a spent quota; nil lets the call go on.
    func admit(_ call: Call, now: Int64) -> Answer?

    /// A refusal when the credential is missing, wrong or expired; nil when it is good.
    func refusal(of call: Call, now: Int64) -> Answer?

    /// The answer of the provider's own paths; nil for a path it does not have.
    func answer(_ call: Call, now: Int64) -> Answer?

    /// The provider's own words for `refusal`.
    func words(for refusal: Refusal, now: Int64) -> Answer

    /// Adds what every answer of the provider has. Faults that answer in its place go through this too.
    func dress(_ answer: inout Answer, for call: Call?, now: Int64)

    /// Forgets every token it issued, as an operator's "sign out everywhere" does.
    func revokeIssued()

    /// Forgets the access tokens; whoever has a refresh token may use it.
    func revokeAccess()

    /// Accepts one more static token, as somebody at the provider's dashboard makes one.
    /// - Parameter scopes: nil for all
    /// - Returns: false when the provider has none, or no more
    func add(token: String, scopes: [String]?) -> Bool

    /// Takes a static token back.
    /// - Returns: false when there is none such
    func revoke(token: String) -> Bool
}

/// Where credentials stand: one of `anyOf` and all of `allOf` are needed, each once.
struct CredentialPlaces {
    var anyOf: [String] = []
    var allOf: [String] = []
    /// Headers that may be missing.
    var optional: [String] = []
    /// Names in the query that are needed.
    var query: [String] = []

    var headers: [String] { anyOf + allOf + optional }
}

extension Play {
    func tokenCall(_ call: Call) -> TokenCall? { nil }
    func isSigned(_ call: Call) -> Bool { false }
    func findings(in call: Call, now: Int64) -> [Finding] { [] }
    func admit(_ call: Call, now: Int64) -> Answer? { nil }
    func dress(_ answer: inout Answer, for call: Call?, now: Int64) {}
    func revokeIssued() {}
    func revokeAccess() { revokeIssued() }
    func add(token: String, scopes: [String]?) -> Bool { false }
    func revoke(token: String) -> Bool { false }

    /// The whole answer, from quota to the provider's last header.
    func perform(_ call: Call?, now: Int64) -> Answer {
        var answer = call.map { decide($0, now: now) } ?? words(for: .notFound, now: now)
        dress(&answer, for: call, now: now)
        return answer
    }

    private func decide(_ call: Call, now: Int64) -> Answer {
        if let refused = admit(call, now: now) { return refused }
        if !isOpen(call), let refused = refusal(of: call, now: now) { return refused }
        let answer = CommonPaths.answer(call, as: self, now: now) ?? self.answer(call, now: now)
        return answer ?? words(for: .notFound, now: now)
    }
}
