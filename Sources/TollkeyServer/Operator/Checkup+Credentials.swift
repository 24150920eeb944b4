import TollkeyCore

extension Checkup {
    // MARK: What is obtained

    /// The tokens that live; nil when one is missing.
    mutating func lookAtCredentials(_ store: (any RecordStore)?) -> [String: Secret]? {
        var tokens: [String: Secret]? = [:]
        for credential in provider.credentials {
            let found = store.flatMap { look(at: credential, in: $0) }
            if store == nil { addMissing(credential) }
            if let found { tokens?.merge(found.tokens(named: credential.name)) { $1 } } else { tokens = nil }
        }
        return tokens
    }

    /// nil when none lives.
    private mutating func look(at credential: CredentialSettings, in store: any RecordStore)
        -> StoredCredential?
    {
        let subject = "credential \(credential.name)"
        do {
            let client = try Operator.client()
            let desk = Operator(
                provider, store: store, client: client, clock: clock, audit: renews ? audit(in: store) : nil)
            let renewal = try desk.renewal(of: credential)
            if renews { return renew(credential, renewal, desk) }
            let now = clock.now
            guard let stored = try renewal.load()?.stored else {
                addMissing(credential)
                return nil
            }
            let expiry = stored.expiry(at: now, bootID: desk.bootID)
            if !expiry.isReached(at: now) {
                add(.ok, subject, "is kept, good \(expiry.inWords(at: now))")
                return stored
            }
            let way = RenewalWay.choose(
                credential, kept: stored, at: now, bootID: desk.bootID, replica: store.replica)
            switch way {
            case .login: add(.problem, subject, "has died, and \(needsPerson)")
            case .elsewhere:
                add(
                    .problem, subject,
                    "has died, and another replica has begun to renew it and was not heard of since")
            case .refresh, .obtain:
                add(.note, subject, "has died; a running daemon renews it (--renew tries it now)")
            }
        } catch { add(.problem, subject, "\(error)") }
        return nil
    }

    private mutating func renew(
        _ credential: CredentialSettings, _ renewal: Renewal, _ desk: Operator
    ) -> StoredCredential? {
        let subject = "credential \(credential.name)"
        let outcome = renewal.perform(known: nil, isForced: true)
        desk.note(outcome, credential)
        switch outcome {
        case .obtained(let kept, let how, let notes):
            _ = desk.ring()
            let now = clock.now
            let span = kept.stored.expiry(at: now, bootID: desk.bootID).inWords(at: now)
            add(.ok, subject, "was obtained just now (\(how.rawValue)), good \(span)")
            for note in notes { add(kept.isSaved ? .note : .problem, subject, note) }
            return kept.stored
        case .adopted(let kept): return kept.stored
        case .failed(let fault):
            add(.problem, subject, "cannot be had: \(fault.words)")
            return nil
        }
    }

    private mutating func audit(in store: any RecordStore) -> OperatorAudit {
        var fault: String?
        do throws(StateFailure) {
            let trail = try AuditTrail(in: store.local, settings.audit, clock: clock) { _ in }
            return OperatorAudit(actor: .process(), trail: trail)
        } catch { fault = error.description }
        add(.problem, "audit trail", fault ?? "")
        return OperatorAudit(actor: .process(), trail: nil)
    }

    private mutating func addMissing(_ credential: CredentialSettings) {
        let subject = "credential \(credential.name)"
        if credential.obtain == nil {
            add(.problem, subject, needsPerson)
        } else {
            add(.note, subject, "none is kept yet; a running daemon obtains it (--renew tries it now)")
        }
    }

    private var needsPerson: String { "a person must log in: tollkey login \(provider.name)" }

    // MARK: A call

    /// The provider's probe or, without one, the least call there is: any answer shows that the way is good.
    mutating func call(with secrets: [String: Secret], _ tokens: [String: Secret]?) {
        let client: CallClient
        do throws(StateFailure) { client = try Operator.client() } catch {
            return add(.problem, "connection", error.description)
        }
        let snapshot = tokens.flatMap { render(secrets, $0) }
        var call = CallSettings(method: "HEAD", place: .upstream(path: []))
        call.isAuthenticated = snapshot != nil
        var probe: ProbeSettings?
        if let configured = provider.probe, snapshot != nil || !configured.call.isAuthenticated {
            probe = configured
            call = configured.call
        }
        let quotas: ProviderQuotas?
        do throws(StateFailure) {
            quotas = try ProviderQuotas.passing(provider, in: settings, clock: clock)
        } catch {
            return add(
                .problem, "quotas", "no call is made, since it could not be counted: \(error.description)")
        }
        let calls = ProviderCalls(
            provider: provider, secrets: secrets, client: client, clock: clock, quotas: quotas)
        let answered: ProviderCalls.Answered
        do throws(ProviderCalls.Fault) { answered = try calls.perform(call, snapshot: snapshot) } catch {
            return add(.problem, "connection", error.words)
        }
        let isSecure = provider.upstream.scheme == .https
        add(
            .ok, "connection",
            "\(provider.upstream.authority) answers\(isSecure ? " over TLS, its certificate is good" : "")")
        compareClocks(answered)
        if call.isAuthenticated { judge(answered.answer, probe) }
    }

    private mutating func render(
        _ secrets: [String: Secret], _ tokens: [String: Secret]
    ) -> CredentialSnapshot? {
        do throws(RenderingError) {
            return try CredentialSnapshot(
                generation: 1, provider: provider, secrets: secrets, credentials: tokens,
                cryptography: SystemCryptography())
        } catch {
            add(.problem, "headers", "cannot be made: \(error.words)")
            return nil
        }
    }

    private mutating func compareClocks(_ answered: ProviderCalls.Answered) {
        guard let date = answered.answer.date else {
            return add(.note, "clock", "the provider does not say what time it is")
        }
        let ahead = Duration.milliseconds(clock.now.wall) - .milliseconds(date)
        if ahead > Self.clockDifferenceMax || ahead < .zero - Self.clockDifferenceMax {
            add(.problem, "clock", "\(GrantNote.clockAhead(ahead).words); set it")
        } else {
            add(.ok, "clock", "agrees with the provider's")
        }
    }

    private mutating func judge(_ answer: TokenAnswer, _ probe: ProbeSettings?) {
        let refused =
            "the provider refuses the credential (\(answer.status)): check the secrets, and that they are for this"
            + " 'upstream'"
        guard let probe else {
            let isRefused = answer.content.reveal {
                Refusals.means(
                    refused: answer.status, fields: answer.fields, content: $0, rules: provider.refusals)
            }
            if isRefused { return add(.problem, "probe", refused) }
            return add(.note, "probe", "there is none; a bare call was not refused (\(answer.status))")
        }
        switch Operator.verdict(answer, probe, provider) {
        case .works: add(.ok, "probe", "the provider takes the credential (\(answer.status))")
        case .refused: add(.problem, "probe", refused)
        case .unknown(let words): add(.note, "probe", "\(words), which says nothing about the credential")
        }
    }
}
