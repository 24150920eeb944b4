package import TollkeyCore

/// One login of a person (RFC 6749 §4.1, RFC 7636): the URL for the browser, and what comes of its redirect.
package struct LoginFlow: Sendable {
    /// For a person's browser.
    package let url: String
    private let desk: Operator
    private let credential: CredentialSettings
    private let login: LoginSettings
    private let redirectURI: String
    private let state: String
    private let verifier: String?

    private static let chanceBytes = 32

    /// `redirectURI` is where the browser will be sent back to: a `RedirectListener`'s, or `pastedURI`.
    package init(
        _ desk: Operator, credential name: String? = nil, redirectURI: String
    ) throws(OperatorFailure) {
        self.desk = desk
        (credential, login) = try desk.login(named: name)
        self.redirectURI = redirectURI
        let cryptography = SystemCryptography()
        let state = Base64URL.encode(cryptography.random(Self.chanceBytes))
        self.state = state
        var inputs = ["redirect_uri": Secret(redirectURI), "state": Secret(state)]
        if login.usesPKCE {
            let verifier = Base64URL.encode(cryptography.random(Self.chanceBytes))
            let challenge = cryptography.hash(.sha256, Array(verifier.utf8))
            inputs["code_challenge"] = Secret(Base64URL.encode(challenge))
            self.verifier = verifier
        } else {
            verifier = nil
        }
        var filler = TemplateFiller(
            ValuePlan(desk.provider.values), secrets: try desk.secrets(), credentials: [:], inputs: inputs,
            now: desk.clock.now.wall, cryptography: cryptography)
        do throws(RenderingError) {
            url = try filler.url(login.authorize, query: login.query, for: desk.provider)
                .reveal { String(decoding: $0, as: UTF8.self) }
        } catch { throw OperatorFailure("The login's address cannot be written: \(error.words).") }
    }

    /// Where the browser is sent back to when nobody waits for it there: the person brings the address.
    package static func pastedURI(_ configured: String?, port: Int? = nil) -> String {
        // Nothing is likely to listen there, on whichever machine the browser is.
        configured ?? "http://127.0.0.1:\(port ?? .random(in: 49_152...65_535))/callback"
    }

    // MARK: The redirect

    /// `query` without its `?`.
    package func verdict(on query: ArraySlice<UInt8>) -> RedirectVerdict {
        RedirectVerdict(query, state: state, SystemCryptography())
    }

    /// The code in the address that a person has copied.
    package func code(pasted text: String) throws(OperatorFailure) -> Secret {
        let bytes = Array(text.utf8).filter { $0 > 0x20 }
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else {
            throw OperatorFailure(
                "This is not the whole address. Copy all that the browser shows, from http to its end: the code alone"
                    + " does not tell whose it is.")
        }
        switch verdict(on: bytes[(mark + 1)...].prefix { $0 != UInt8(ascii: "#") }) {
        case .code(let code): return code
        case .denied(let code): throw Self.denied(code)
        case .foreign:
            throw OperatorFailure("This address belongs to another login. Open the one shown above.")
        case .empty: throw OperatorFailure("This address holds no code. Log in once more.")
        }
    }

    static func denied(_ code: String) -> OperatorFailure {
        OperatorFailure("The provider gave no access (\(code)). Nothing was changed.")
    }

    // MARK: The exchange

    /// Gives the code for tokens and keeps them.
    package func finish(_ code: Secret) throws(OperatorFailure) -> OperatorReport {
        try desk.noting(.login, credential.name) { () throws(OperatorFailure) in try exchange(code) }
    }

    private func exchange(_ code: Secret) throws(OperatorFailure) -> OperatorReport {
        var inputs = ["code": code, "redirect_uri": Secret(redirectURI)]
        if let verifier { inputs["code_verifier"] = Secret(verifier) }
        let renewal = try desk.renewal(of: credential)
        let answered: ProviderCalls.Answered
        do throws(ProviderCalls.Fault) {
            answered = try renewal.calls.perform(login.exchange, inputs: inputs)
        } catch { throw OperatorFailure("The code could not be exchanged: \(error.words). \(again)") }
        let grant: Grant
        do throws(GrantFault) {
            grant = try Grant.read(
                answered.answer, credential.read, lifetime: credential.lifetime,
                refreshLifetime: credential.refreshLifetime, asked: answered.asked)
        } catch { throw refused(error, answered) }
        var report = OperatorReport()
        do throws(StateFailure) {
            let outcome = try renewal.keep(grant, asked: answered.asked)
            desk.note(outcome, credential)
            desk.tell(outcome, credential, &report)
        } catch {
            throw OperatorFailure(
                "The provider gave a token, which could not be kept: \(error.description). \(again)")
        }
        if report.isGood {
            report.say("A running daemon uses it from now on and renews it.")
            if credential.refresh != nil, grant.refreshToken == nil {
                report.say(
                    "Note: no refresh token came with it, so that a person must log in again in the end.")
            }
        } else {
            report.complain(again)
        }
        if let words = desk.ring() { report.complain(words) }
        return report
    }

    private func refused(_ fault: GrantFault, _ answered: ProviderCalls.Answered) -> OperatorFailure {
        guard case .grantDead? = fault.reason else {
            return OperatorFailure("The code could not be exchanged: \(fault.words). \(again)")
        }
        let words = answered.answer.refusal(asked: answered.asked)
        return OperatorFailure(
            "The provider does not accept the code (\(words)): it was used already, is too old, or belongs to another"
                + " 'redirect_uri'. \(again)")
    }

    private var again: String { "Begin anew: tollkey login \(desk.name)." }
}

extension Operator {
    /// The credential that needs a person: the one of that name, or the only one.
    package func login(
        named wanted: String? = nil
    ) throws(OperatorFailure) -> (CredentialSettings, LoginSettings) {
        let found = provider.credentials.filter { $0.login != nil }
        guard !found.isEmpty else {
            throw OperatorFailure("\(name) needs nobody to log in: none of its credentials has a 'login'.")
        }
        let names = found.map(\.name).joined(separator: ", ")
        let matching = found.filter { wanted == nil || $0.name == wanted }
        guard let credential = matching.first, let login = credential.login else {
            throw OperatorFailure(
                "\(name) has no credential '\(wanted ?? "")' with a login; there is \(names).")
        }
        guard matching.count == 1 else {
            throw OperatorFailure("\(name) has several logins (\(names)); say which with --credential.")
        }
        return (credential, login)
    }
}
