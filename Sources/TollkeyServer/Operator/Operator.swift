package import TollkeyCore

/// One provider in the hands of a person who gives a command: what all commands share.
///
/// Works without the daemon and beside it, on the same state and under the same locks; what is written there the
/// daemon notices. Blocks its thread, for bounded times.
package struct Operator: Sendable {
    package let provider: ProviderSettings
    let store: any RecordStore
    let client: CallClient
    let clock: Clock
    let quotas: ProviderQuotas?
    let audit: OperatorAudit?
    let bootID = BootID.read()

    /// Opens the state, or begins one. `actor` is who gives the command; `audit` a trail that is open already.
    package init(
        _ provider: ProviderSettings, in settings: Settings, by actor: AuditActor = .process(),
        audit: AuditTrail? = nil, clock: Clock = .system,
        complain: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(OperatorFailure) {
        do throws(StateFailure) {
            let store = try settings.openState(clock: clock)
            let notes = OperatorAudit(
                actor: actor,
                trail: audit
                    ?? OperatorAudit.trail(in: store.local, settings.audit, clock: clock, complain: complain))
            let quotas = try ProviderQuotas.passing(provider, in: settings, clock: clock)
            self.init(
                provider, store: store, client: try Self.client(), clock: clock, quotas: quotas, audit: notes)
        } catch { throw OperatorFailure(error) }
    }

    init(
        _ provider: ProviderSettings, store: any RecordStore, client: CallClient, clock: Clock,
        quotas: ProviderQuotas? = nil, audit: OperatorAudit? = nil
    ) {
        self.provider = provider
        self.store = store
        self.client = client
        self.clock = clock
        self.quotas = quotas
        self.audit = audit
    }

    static func client() throws(StateFailure) -> CallClient {
        do throws(SystemError) { return try CallClient() } catch {
            throw StateFailure(.system, error.description)
        }
    }

    var name: String { provider.name }

    // MARK: Secrets and credentials

    /// As they are configured, with those in files as the files have them now: a daemon was started with others when
    /// one has changed since.
    func configured() throws(OperatorFailure) -> [String: Secret] {
        do throws(SmallFile.Unreadable) { return try provider.readSecrets() } catch {
            throw OperatorFailure("Nothing was done: \(error.message).")
        }
    }

    /// As they stand now: configured, with what a rotation has put in the place of one.
    func secrets() throws(OperatorFailure) -> [String: Secret] {
        let configured = try configured()
        do throws(StateFailure) {
            return try SecretOverrides(provider: provider, store: store).applied(to: configured)
        } catch { throw OperatorFailure(error) }
    }

    func calls(with secrets: [String: Secret]) -> ProviderCalls {
        ProviderCalls(
            provider: provider, secrets: secrets, client: client, clock: clock,
            quotas: quotas)
    }

    func renewal(of credential: CredentialSettings) throws(OperatorFailure) -> Renewal {
        Renewal(
            credential: credential, calls: calls(with: try secrets()), store: store, bootID: bootID)
    }

    /// What the daemon would add to a call now. A credential that does not live is obtained or renewed first.
    func snapshot(with secrets: [String: Secret]) throws(OperatorFailure) -> CredentialSnapshot {
        var tokens: [String: Secret] = [:]
        for credential in provider.credentials {
            tokens.merge(try held(credential).tokens(named: credential.name)) { $1 }
        }
        return try snapshot(with: secrets, tokens)
    }

    func snapshot(
        with secrets: [String: Secret], _ tokens: [String: Secret]
    ) throws(OperatorFailure) -> CredentialSnapshot {
        do throws(RenderingError) {
            return try CredentialSnapshot(
                generation: 1, provider: provider, secrets: secrets, credentials: tokens,
                cryptography: SystemCryptography())
        } catch { throw OperatorFailure("The provider's headers cannot be made: \(error.words).") }
    }

    private func held(_ credential: CredentialSettings) throws(OperatorFailure) -> StoredCredential {
        let renewal = try renewal(of: credential)
        let now = clock.now
        do throws(StateFailure) {
            if let kept = try renewal.load(),
                !kept.stored.expiry(at: now, bootID: bootID).isReached(at: now)
            {
                return kept.stored
            }
        } catch { throw OperatorFailure(error) }
        let outcome = renewal.perform(known: nil)
        note(outcome, credential)
        switch outcome {
        case .obtained(let kept, _, _), .adopted(let kept):
            _ = ring()
            return kept.stored
        case .failed(let fault):
            throw OperatorFailure(
                "The credential '\(credential.name)', which the call needs, cannot be had: \(fault.words).")
        }
    }

    // MARK: Probing

    enum Probing {
        case works
        case refused(Int)
        case unknown(String)
    }

    /// Whether the provider takes these secrets; asks its probe.
    func probe(_ secrets: [String: Secret]) -> Probing {
        guard let probe = provider.probe else { return .unknown("the provider has no 'probe' to ask") }
        do {
            let snapshot = try snapshot(with: secrets)
            return try Self.verdict(
                calls(with: secrets).perform(probe.call, snapshot: snapshot).answer, probe, provider)
        } catch let fault as ProviderCalls.Fault {
            return .unknown(fault.words)
        } catch { return .unknown("\(error)") }
    }

    static func verdict(
        _ answer: TokenAnswer, _ probe: ProbeSettings, _ provider: ProviderSettings
    ) -> Probing {
        switch ProbeVerdict(answer, probe, rules: provider.refusals) {
        case .works: .works
        case .refused: .refused(answer.status)
        case .unknown: .unknown("the provider's probe answered \(answer.status)")
        }
    }

    // MARK: The daemon

    /// Tells a daemon that there is something for it; in words, when that did not work.
    func ring() -> String? {
        do throws(StateFailure) {
            try store.ring()
            return nil
        } catch {
            return "A running daemon could not be told (\(error.description)); it sees it when the provider"
                + " next refuses a call, or after a restart."
        }
    }
}

extension StoredCredential {
    /// As templates name them.
    func tokens(named name: String) -> [String: Secret] {
        var tokens = [name: token]
        for (value, secret) in values { tokens["\(name).\(value)"] = secret }
        return tokens
    }
}

extension TokenAnswer {
    /// The status and, where there is one, the provider's short code for what went wrong.
    func refusal(asked: Moment) -> String {
        if case .refused(let refusal) = GrantFault(self, wasRefresh: false, asked: asked),
            let code = refusal.code
        {
            return "\(status), \(code)"
        }
        return String(status)
    }
}
