import TollkeyCore

/// One provider's credentials in the hands of the token refresher: what is held, and what may be published of it.
struct Keeper {
    struct Life {
        let settings: CredentialSettings
        var machine: CredentialLife
        var kept: KeptCredential?

        init(_ settings: CredentialSettings) {
            self.settings = settings
            machine = CredentialLife(renewBefore: settings.renewBefore)
        }
    }

    let board: CredentialBoard
    var provider: ProviderSettings { board.provider }
    /// As they stand now: after files that have changed, and rotations.
    private(set) var secrets: [String: Secret]
    /// In the order of the settings.
    var lives: [Life]
    private var generation: Int
    private var publishedVersions: [Int64?] = []
    /// They are not what is published.
    private var secretsAreNews: Bool
    /// The secrets are those of the configuration still.
    private(set) var isUntouched = true
    /// A look at the secrets is under way.
    var isCheckingSecrets = false
    /// News of them came meanwhile.
    var mustCheckSecretsAgain = false
    /// The provider has refused what is published, and it is being looked for something better.
    var isRefused = false
    /// What the provider has refused, and is not asked about again.
    var refused: [String: Secret]?
    /// When new ones, which could not be probed, are looked at again.
    var secretsRetry = Deadline.never
    /// Refusals of this generation and earlier ones are answered, until then.
    var settled: CredentialPublication.Settled?
    /// What is said while the state cannot be read.
    var stateFault: String?

    init(_ board: CredentialBoard) {
        self.board = board
        secrets = board.provider.secrets
        lives = board.provider.credentials.map { Life($0) }
        generation = board.current.snapshot.generation
        // What needs nobody's answer is published before anybody asks.
        secretsAreNews = board.current.standing != .usable
    }

    /// Also tells when the credentials are told to be renewed with them.
    mutating func take(_ secrets: [String: Secret]) {
        if secrets != self.secrets { secretsAreNews = true }
        self.secrets = secrets
        isUntouched = false
    }

    /// Where what it keeps is.
    var places: [RecordPlace] {
        var places = lives.map { RecordPlace.credential(provider.name, $0.settings.name) }
        if let secret = provider.rotation?.secret { places.append(.rotation(provider.name, secret)) }
        if board.verification != nil { places.append(.verifications(provider)) }
        return places
    }

    var isCalling: Bool { lives.contains { $0.machine.isCalling } || isCheckingSecrets }

    /// What the event loops are to know now.
    mutating func publication(at now: Moment) -> CredentialPublication {
        let versions = lives.map { $0.machine.held(at: now).map(\.version) }
        var publication = board.current
        publication.retry = nil
        let isUnread = provider.rotation != nil && isUntouched
        let absence = absence(at: now)
        if let stateFault, isUnread || absence != nil {
            publication.standing = .missing(Failure(.credentialUnavailable, stateFault, retryAfter: 30))
        } else if let absence {
            publication.standing = absence.standing
            publication.retry = absence.retry
        } else if versions != publishedVersions || secretsAreNews {
            do throws(RenderingError) {
                publication.snapshot = try snapshot(generation + 1, at: now)
                publication.standing = .usable
                generation += 1
                publishedVersions = versions
                secretsAreNews = false
            } catch {
                publication.standing = .missing(.unrenderable(error))
            }
        } else {
            publication.standing = .usable
        }
        publication.settledRefusals = settled
        return publication
    }

    /// With `secrets` in the place of those that are held, for a probe.
    func snapshot(
        _ generation: Int, with secrets: [String: Secret]? = nil, at now: Moment
    ) throws(RenderingError) -> CredentialSnapshot {
        var tokens: [String: Secret] = [:]
        var expires = Deadline.never
        for life in lives {
            guard let held = life.machine.held(at: now), let stored = life.kept?.stored else { continue }
            tokens[life.settings.name] = stored.token
            for (name, value) in stored.values { tokens["\(life.settings.name).\(name)"] = value }
            expires = .earlier(expires, held.expires)
        }
        return try CredentialSnapshot(
            generation: generation, provider: provider, secrets: secrets ?? self.secrets, credentials: tokens,
            expires: expires, cryptography: SystemCryptography())
    }

    /// What callers are told while a credential is missing, and when it is tried again; nil when none is.
    private func absence(at now: Moment) -> (standing: CredentialStanding, retry: Deadline?)? {
        var isComing = false
        for life in lives where life.machine.held(at: now) == nil {
            // While a call is under way there is hope, whatever came of the one before.
            guard !life.machine.isCalling, let trouble = life.machine.trouble else {
                isComing = true
                continue
            }
            let retry = trouble.retry == .never ? nil : trouble.retry
            return (.missing(Self.failure(life.settings.name, trouble)), retry)
        }
        return isComing ? (.coming, nil) : nil
    }

    private static func failure(_ name: String, _ trouble: CredentialLife.Trouble) -> Failure {
        let words = "The provider's credential '\(name)' cannot be had: \(trouble.fault.words)."
        if case .needsPerson = trouble.fault { return Failure(.loginRequired, words) }
        var failure = Failure(.credentialUnavailable, words)
        // The provider says no to what it was given, which is ours to mend.
        if case .rejected = trouble.fault { failure.isOurs = true }
        return failure
    }
}
