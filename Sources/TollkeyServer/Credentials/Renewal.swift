package import TollkeyCore

/// An obtained credential as the state has it.
package struct KeptCredential: Sendable {
    package var stored: StoredCredential
    /// The record's version, for replacing it.
    package var record: Int64
    /// False when the state could not take it: then it lives in this process alone.
    package var isSaved = true

    /// Larger for each that is obtained, by whichever process.
    package var version: Int64 { Int64(stored.generation) }
}

/// One renewal of one credential, from the lock between processes to the durable result. Blocks its thread, for a
/// bounded time.
///
/// A refresh token is kept before it can be used, and marked there before it is spent: whatever ends the process in
/// between, the next one knows whether it may spend it. Why that holds among replicas too, `SharedStore` says.
package struct Renewal: Sendable {
    let credential: CredentialSettings
    let calls: ProviderCalls
    let store: any RecordStore
    let bootID: String
    /// Ends the waiting for another process.
    var isCancelled: @Sendable () -> Bool = { false }

    package enum Outcome: Sendable {
        case obtained(KeptCredential, how: How, notes: [String])
        /// Another process has obtained it meanwhile.
        case adopted(KeptCredential)
        case failed(CredentialLife.Fault)
    }

    package enum How: String, Sendable { case obtain, refresh, login }

    package init(credential: CredentialSettings, calls: ProviderCalls, store: any RecordStore, bootID: String)
    {
        self.credential = credential
        self.calls = calls
        self.store = store
        self.bootID = bootID
    }

    /// Another process may hold the lock for as long as its calls take.
    static let lockTimeout: Duration = .seconds(75)
    private static let savesMax = 3

    private var now: Moment { calls.clock.now }
    var place: RecordPlace { .credential(calls.provider.name, credential.name) }

    /// `known` is what the caller holds. `isForced`: also when another process has renewed it just now.
    package func perform(known: KeptCredential?, isForced: Bool = false) -> Outcome {
        let shelter = SignalShelter()
        defer { shelter.end() }
        do throws(StateFailure) {
            let lock = try waitForLock()
            defer { lock.release() }
            var kept = try load()
            if let known, !known.isSaved, known.version > kept?.version ?? 0 {
                kept = try save(known.stored, replacing: kept?.record)
            }
            if let kept, kept.version > known?.version ?? 0, !isForced, !isDue(kept.stored) {
                return .adopted(kept)
            }
            return try renew(kept, under: lock)
        } catch {
            return .failed(.unavailable("the state cannot be used: \(error.description)"))
        }
    }

    /// What is kept for this very account; nil when there is nothing, or it was obtained with something else.
    package func load() throws(StateFailure) -> KeptCredential? {
        let present = try fingerprints()
        guard var kept = try read(store.load(place)), present.contains(kept.stored.fingerprint) else {
            return nil
        }
        if let first = present.first, kept.stored.fingerprint != first {
            // It was kept before it was shared, or under another key: from here on everybody can tell whose it is.
            kept.stored.fingerprint = first
            kept = try save(kept.stored, replacing: kept.record)
        }
        return kept
    }

    /// As `load`, as far as this machine knows. Asks nobody.
    func copy() throws(StateFailure) -> KeptCredential? {
        guard let kept = try read(store.copy(place)), try fingerprints().contains(kept.stored.fingerprint)
        else { return nil }
        return kept
    }

    private func read(_ record: StoredRecord?) throws(StateFailure) -> KeptCredential? {
        guard let record else { return nil }
        do throws(StoredCredentialFault) {
            let stored = try StoredCredential(decoding: record.content)
            return KeptCredential(stored: stored, record: record.version)
        } catch {
            let name = "\(calls.provider.name)/\(credential.name)"
            throw StateFailure(
                error == .unknownVersion ? .newer : .damaged, "what is kept for \(name) \(error.words)")
        }
    }

    /// Each stands for the account and the secrets that the credential is obtained with. The first is written.
    private func fingerprints() throws(StateFailure) -> [String] {
        let url = calls.provider.upstream
        var parts = [Secret("\(url.scheme.rawValue)://\(url.authority)\(url.basePath)")]
        for call in [credential.obtain, credential.refresh, credential.login?.exchange] {
            if case .elsewhere(let url, _)? = call?.place { parts.append(Secret(url.authority)) }
        }
        for name in credential.secretNames(calls.provider.values).sorted() {
            parts += [Secret(name), calls.secrets[name] ?? Secret("")]
        }
        return try store.fingerprintTexts(parts)
    }

    private func waitForLock() throws(StateFailure) -> any RecordLock {
        try store.hold(place, timeout: Self.lockTimeout, isCancelled: isCancelled)
    }

    private func isDue(_ stored: StoredCredential) -> Bool {
        let lead = CredentialLife.lead(stored.life, credential.renewBefore, jitter: 0)
        return stored.expiry(at: now, bootID: bootID).sooner(by: lead).isReached(at: now)
    }

    // MARK: The calls

    private func renew(
        _ kept: KeptCredential?, under lock: any RecordLock
    ) throws(StateFailure) -> Outcome {
        let way = RenewalWay.choose(
            credential, kept: kept?.stored, at: now, bootID: bootID, replica: store.replica)
        switch way {
        case .refresh(let token):
            guard let kept, let call = credential.refresh else { return .failed(needsPerson) }
            return try refresh(kept, token, call, under: lock)
        case .obtain: return try obtain(kept)
        case .login: return .failed(needsPerson)
        case .elsewhere:
            return .failed(
                .needsPerson(
                    "another replica has begun to spend the refresh token and was not heard of since; it goes on by itself when it is back, or a person logs in: tollkey login \(calls.provider.name)"
                ))
        }
    }

    private var needsPerson: CredentialLife.Fault {
        .needsPerson("a person must log in: tollkey login \(calls.provider.name)")
    }

    private func refresh(
        _ held: KeptCredential, _ token: Secret, _ call: CallSettings, under lock: any RecordLock
    ) throws(StateFailure) -> Outcome {
        var kept = held
        kept.stored.isSpending = true
        kept.stored.spender = store.replica
        do throws(StateFailure) {
            // Also shows that the result can be kept: a renewal that cannot be saved is not begun.
            kept.record = try store.mark(kept.stored.encode(), at: place, replacing: kept.record)
        } catch {
            guard error.kind == .unshared else { throw error }
            if credential.obtain != nil { return try obtain(held) }
            return .failed(
                .unavailable(
                    "the refresh token is not spent without the other replicas: \(error.description)"))
        }
        let answered: ProviderCalls.Answered
        do {
            answered = try calls.perform(call, inputs: ["refresh_token": token], under: lock)
        } catch {
            if !error.wasSent { try unmark(kept) }
            return .failed(CredentialLife.Fault(error))
        }
        do throws(GrantFault) {
            let grant = try Grant.read(
                answered.answer, credential.readRefreshed, lifetime: credential.lifetime,
                refreshLifetime: credential.refreshLifetime, asked: answered.asked, kept: kept.stored.values,
                wasRefresh: true)
            return keep(grant, over: kept, answered.asked, how: .refresh)
        } catch {
            switch error.reason {
            case .grantDead?:
                kept.stored.refreshToken = nil
                kept.stored.isSpending = false
                kept.stored.spender = ""
                kept = try save(kept.stored, replacing: kept.record)
                return credential.obtain == nil ? .failed(needsPerson) : try obtain(kept)
            case .rejected?:
                try unmark(kept)
                // Not every provider says it in OAuth's words when a refresh token has died.
                if credential.obtain != nil { return try obtain(try load()) }
            case .limited?: try unmark(kept)
            // Nobody knows what has become of the token.
            case .unavailable?, nil: break
            }
            return .failed(CredentialLife.Fault(error))
        }
    }

    private func unmark(_ kept: KeptCredential) throws(StateFailure) {
        var stored = kept.stored
        stored.isSpending = false
        stored.spender = ""
        _ = try save(stored, replacing: kept.record)
    }

    private func obtain(_ kept: KeptCredential?) throws(StateFailure) -> Outcome {
        guard let call = credential.obtain else { return .failed(needsPerson) }
        do throws(ProviderCalls.Fault) {
            let answered = try calls.perform(call)
            do throws(GrantFault) {
                let grant = try Grant.read(
                    answered.answer, credential.read, lifetime: credential.lifetime,
                    refreshLifetime: credential.refreshLifetime, asked: answered.asked)
                return keep(grant, over: kept, answered.asked, how: .obtain)
            } catch {
                return .failed(CredentialLife.Fault(error))
            }
        } catch {
            return .failed(CredentialLife.Fault(error))
        }
    }

    // MARK: Keeping

    /// Keeps what a person's login has brought.
    func keep(_ grant: Grant, asked: Moment) throws(StateFailure) -> Outcome {
        let shelter = SignalShelter()
        defer { shelter.end() }
        let lock = try waitForLock()
        defer { lock.release() }
        return keep(grant, over: try load(), asked, how: .login)
    }

    private func keep(_ grant: Grant, over kept: KeptCredential?, _ asked: Moment, how: How) -> Outcome {
        var stored = StoredCredential(
            token: grant.token, expires: grant.expires, bootID: bootID, obtainedAt: asked.wall,
            generation: ((try? read(store.copy(place))) ?? kept).map { $0.stored.generation + 1 } ?? 1,
            fingerprint: "")
        stored.values = grant.values
        if let token = grant.refreshToken {
            stored.refreshToken = token
            stored.refreshExpires = grant.refreshExpires
        } else if how == .refresh {
            // None in the answer: the old one stays good (RFC 6749 §6).
            stored.refreshToken = kept?.stored.refreshToken
            stored.refreshExpires = kept?.stored.refreshExpires
        }
        var notes = grant.notes.map(\.words)
        var words = ""
        for _ in 0..<Self.savesMax {
            do throws(StateFailure) {
                stored.fingerprint = try fingerprints().first ?? ""
                return .obtained(try save(stored, replacing: nil), how: how, notes: notes)
            } catch {
                words = error.description
                // The lock has run out meanwhile, and who had it next has kept another one.
                if error.kind == .superseded, let next = try? load(),
                    next.stored.generation >= stored.generation
                {
                    return .adopted(next)
                }
            }
        }
        notes.append("it lives in this process alone, for the state cannot be written: \(words)")
        let lost = KeptCredential(stored: stored, record: kept?.record ?? 0, isSaved: false)
        return .obtained(lost, how: how, notes: notes)
    }

    private func save(
        _ stored: StoredCredential, replacing version: Int64?
    ) throws(StateFailure) -> KeptCredential {
        let version = try store.save(stored.encode(), at: place, replacing: version)
        return KeptCredential(stored: stored, record: version)
    }
}

extension RecordPlace {
    static func credential(_ provider: String, _ name: String) -> RecordPlace {
        RecordPlace(kind: "credential", provider: provider, name: name)
    }
}

extension GrantFault {
    var reason: TokenRefusal.Reason? {
        if case .refused(let refusal) = self { refusal.reason } else { nil }
    }
}

extension CredentialLife.Fault {
    init(_ fault: ProviderCalls.Fault) {
        self = fault.limited.map { .limited($0, fault.words) } ?? .unavailable(fault.words)
    }

    init(_ fault: GrantFault) {
        switch fault.reason {
        case .rejected?, .grantDead?: self = .rejected(fault.words)
        case .limited(let span)?: self = .limited(span, fault.words)
        case .unavailable(let span?)?: self = .limited(span, fault.words)
        case .unavailable(nil)?, nil: self = .unavailable(fault.words)
        }
    }
}
