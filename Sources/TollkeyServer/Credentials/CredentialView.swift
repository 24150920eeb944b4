import TollkeyCore

/// One provider's credentials as one event loop sees them, and the exchanges that wait for a better one.
final class CredentialView {
    private let loop: EventLoop
    private var board: CredentialBoard
    private var publication: CredentialPublication {
        didSet { hasCredential = publication.standing == .usable }
    }
    /// What was published is usable, but for the clocks: asked with each call, where the standing costs a copy.
    private var hasCredential: Bool
    private var waiters: [ExchangeDriver] = []
    /// The last generations that the token refresher has been told of since it published something.
    private var toldExpired = 0
    private var toldRefused = 0
    private var isAbandoned = false

    /// Exchanges that may wait for a credential, of one provider in one event loop.
    static let waitersMax = 16_384

    init(_ board: CredentialBoard, loop: EventLoop) {
        self.loop = loop
        self.board = board
        publication = board.current
        hasCredential = publication.standing == .usable
    }

    var snapshot: CredentialSnapshot { publication.snapshot }

    /// Whether calls can be sent now. What has died by one of the clocks is as good as none, whatever was published.
    var isUsable: Bool {
        guard hasCredential else { return false }
        let expires = publication.snapshot.expires
        guard expires != .never, expires.isReached(at: loop.moment) else { return true }
        let generation = publication.snapshot.generation
        if toldExpired < generation {
            toldExpired = generation
            board.tell(.expired(generation: generation))
        }
        return false
    }

    /// What a call can expect now.
    var standing: CredentialStanding {
        if hasCredential { return isUsable ? .usable : .coming }
        if case .missing(let failure) = publication.standing, let retry = publication.retry {
            return .missing(failure.retried(at: retry, now: loop.moment))
        }
        return publication.standing
    }

    enum Remedy { case better, none, perhaps }

    /// What is known about a better credential than that of `generation`, which was refused. With `perhaps` it is being
    /// looked for.
    func remedy(for generation: Int) -> Remedy {
        if snapshot.generation > generation, isUsable { return .better }
        if case .missing = standing { return .none }
        if isAbandoned { return .none }
        if let settled = publication.settledRefusals, settled.generation >= generation,
            !settled.until.isReached(at: loop.moment)
        {
            return .none
        }
        if toldRefused < generation {
            toldRefused = generation
            board.tell(.refused(generation: generation))
        }
        return .perhaps
    }

    /// Has `exchange` told when something is published; false when too many wait already.
    func wait(_ exchange: ExchangeDriver) -> Bool {
        guard waiters.count < Self.waitersMax else { return false }
        waiters.append(exchange)
        return true
    }

    func cancel(_ exchange: ExchangeDriver) {
        if !waiters.isEmpty { waiters.removeAll { $0 === exchange } }
    }

    /// Goes on with what is published there.
    func adopt(_ board: CredentialBoard) {
        self.board = board
        read()
    }

    /// Nothing will be published any more: the provider is another one now, or gone.
    func abandon() {
        isAbandoned = true
        if publication.standing == .coming {
            let words = "The provider's configuration changed during the call."
            publication.standing = .missing(Failure(.credentialUnavailable, words, retryAfter: 1))
        }
        tellWaiters()
    }

    /// Something was published: all who wait look again.
    func read() {
        publication = board.current
        toldExpired = 0
        toldRefused = 0
        tellWaiters()
    }

    private func tellWaiters() {
        let waiting = waiters
        waiters = []
        for exchange in waiting { exchange.credentialChanged() }
    }
}

extension Failure {
    /// Says when it is tried again, as of now: the failure may be older.
    func retried(at retry: Deadline, now: Moment) -> Failure {
        let seconds = max(1, Int((retry.remaining(at: now).milliseconds + 999) / 1_000))
        var failure = self
        failure.detail += " It is tried again in \(seconds) s."
        failure.retryAfter = seconds
        return failure
    }
}
