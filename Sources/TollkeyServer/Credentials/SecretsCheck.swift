import Glibc
import TollkeyCore

/// A look at one provider's secrets: at the files that some of them stand in, and at what a rotation has left. New ones
/// are tried before they are taken, where the provider has a probe. Blocks its thread, for a bounded time.
struct SecretsCheck: Sendable {
    let keeper: Keeper
    let store: (any RecordStore)?
    let client: CallClient
    let clock: Clock
    /// Ends the waiting for a rotation.
    var isCancelled: @Sendable () -> Bool = { false }

    enum Outcome: Sendable {
        case unchanged
        /// `wasProbed`: the provider takes them.
        case changed([String: Secret], wasProbed: Bool)
        /// The provider refuses them, or they cannot be used: those that are held stay.
        case refused(String, [String: Secret]?)
        /// Whether they work could not be found out: those that are held stay, until it can.
        case unknown(String)
    }

    func perform() -> Outcome {
        do throws(Fault) {
            let secrets = try current()
            if secrets == keeper.secrets || secrets == keeper.refused { return .unchanged }
            guard let probe = keeper.provider.probe else { return .changed(secrets, wasProbed: false) }
            return try verdict(on: secrets, probe)
        } catch {
            return error.isLasting ? .refused(error.words, nil) : .unknown(error.words)
        }
    }

    private struct Fault: Error {
        let words: String
        /// Trying again changes nothing.
        var isLasting = false
    }

    private func verdict(on secrets: [String: Secret], _ probe: ProbeSettings) throws(Fault) -> Outcome {
        let provider = keeper.provider
        let calls = ProviderCalls(
            provider: provider, secrets: secrets, client: client, clock: clock,
            quotas: keeper.board.quotas)
        let snapshot: CredentialSnapshot
        do throws(RenderingError) { snapshot = try keeper.snapshot(0, with: secrets, at: clock.now) } catch {
            throw Fault(words: error.words, isLasting: true)
        }
        let answered: ProviderCalls.Answered
        do throws(ProviderCalls.Fault) {
            answered = try calls.perform(probe.call, snapshot: snapshot)
        } catch { throw Fault(words: error.words) }
        switch ProbeVerdict(answered.answer, probe, rules: provider.refusals) {
        case .works: return .changed(secrets, wasProbed: true)
        case .refused:
            return .refused("the provider refuses it (\(answered.answer.status))", secrets)
        case .unknown: return .unknown("the provider's probe answered \(answered.answer.status)")
        }
    }

    // MARK: What there is

    private func current() throws(Fault) -> [String: Secret] {
        let secrets: [String: Secret]
        do throws(SmallFile.Unreadable) { secrets = try keeper.provider.readSecrets() } catch {
            throw Fault(words: error.message)
        }
        do throws(StateFailure) {
            let lock = try waitForRotation()
            defer { lock?.release() }
            return try SecretOverrides(provider: keeper.provider, store: store).applied(to: secrets)
        } catch { throw Fault(words: error.description) }
    }

    /// While a rotation is under way, the secret in the state may be dead already and the next one not yet there. nil
    /// when there can be none.
    private func waitForRotation() throws(StateFailure) -> (any RecordLock)? {
        guard let store, let secret = keeper.provider.rotation?.secret else { return nil }
        return try store.hold(
            .rotation(keeper.provider.name, secret), timeout: RotationFlow.lockTimeout,
            isCancelled: isCancelled)
    }
}

/// Secrets that stand in the state, in the place of configured ones.
struct SecretOverrides {
    let provider: ProviderSettings
    let store: (any RecordStore)?
    /// As far as this machine knows: nobody is asked.
    var isCopy = false

    /// `configured`, with what a rotation has put in the place of one of them.
    func applied(to configured: [String: Secret]) throws(StateFailure) -> [String: Secret] {
        guard let store, let name = provider.rotation?.secret, let secret = configured[name] else {
            return configured
        }
        let place = RecordPlace.rotation(provider.name, name)
        let fingerprints = try Self.fingerprints(secret, store)
        guard let record = try isCopy ? store.copy(place) : store.load(place),
            var stored = StoredRotation(decoding: record.content),
            let value = stored.value(for: fingerprints)
        else { return configured }
        if !isCopy, let first = fingerprints.first, fingerprints.contains(stored.replaces),
            stored.replaces != first
        {
            // It was kept before it was shared: from here on everybody can tell what it is for.
            stored.replaces = first
            try store.save(stored.encode(), at: place, replacing: record.version)
        }
        var secrets = configured
        secrets[name] = value
        return secrets
    }

    /// Each stands for a configured secret. The first is written.
    static func fingerprints(
        _ secret: Secret, _ store: any RecordStore
    ) throws(StateFailure) -> [String] {
        try store.fingerprintTexts([Secret("rotation"), secret])
    }
}

extension RecordPlace {
    static func rotation(_ provider: String, _ secret: String) -> RecordPlace {
        RecordPlace(kind: "rotation", provider: provider, name: secret)
    }
}
