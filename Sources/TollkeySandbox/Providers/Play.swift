/// One of the five providers, played. Called on several event loops: what it remembers stands behind a lock.
protocol Play: Sendable {
    var provider: Provider { get }

    /// The headers a call must carry: one of `anyOf`, and all of `allOf`, each once.
    var credentialHeaders: CredentialHeaders { get }

    /// Whether the call needs no credential, as logins do not.
    func isOpen(_ call: Call) -> Bool

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
}

struct CredentialHeaders {
    var anyOf: [String] = []
    var allOf: [String] = []

    var all: [String] { anyOf + allOf }
}

extension Play {
    func admit(_ call: Call, now: Int64) -> Answer? { nil }
    func dress(_ answer: inout Answer, for call: Call?, now: Int64) {}
    func revokeIssued() {}

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
