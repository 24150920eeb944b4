import Glibc
import Logging
import Synchronization
import TollkeyCore

/// Keeps every provider's credentials alive: performs what `CredentialLife` decides, and publishes the result.
///
/// An actor on a thread of its own. The event loops never wait for it; they read what it has published.
actor TokenRefresher {
    /// What it needs from outside.
    struct Surroundings: Sendable {
        let client: CallClient
        let clock: Clock
        let logger: Logger
        /// Tells every event loop that there is something new about a provider.
        let announce: @Sendable (_ provider: String) -> Void
        /// Takes an entry for the audit trail, where there is one.
        let record: @Sendable (AuditEvent) -> Void
    }

    private nonisolated let thread: TurnThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let around: Surroundings
    /// nil while no provider has anything to keep.
    private(set) var store: (any RecordStore)?
    /// Opens one that has come to be meanwhile.
    private var openStore: () throws(StateFailure) -> (any RecordStore)? = { nil }
    private var stateDirectory: String?
    nonisolated let errands: Errands
    nonisolated let isClosing = Atomic(false)
    private let watch = FileWatch()
    private let bootID = BootID.read()
    var keepers: [String: Keeper] = [:]
    /// By provider and credential: they outlive a reload.
    private var tallies: [String: RenewalTally] = [:]
    private var dice = SystemRandomNumberGenerator()
    private var thrift = AuditThrift()
    private var nextPoll = Deadline(wall: .min, monotonic: .min)
    private var nextLook = Deadline(wall: .min, monotonic: .min)
    private var isLooking = false
    private var whenAtRest: [@Sendable () -> Void] = []

    init(_ around: Surroundings) throws(SystemError) {
        self.around = around
        thread = try TurnThread("refresher")
        errands = try Errands()
    }

    /// False when the system has no thread.
    nonisolated func start() -> Bool {
        thread.start(watching: watch.descriptor) { [self] isReadable in
            assumeIsolated { $0.turn(isReadable) }
        }
    }

    /// Ends calls that are under way; returns once every thread has ended.
    nonisolated func close() {
        isClosing.store(true, ordering: .relaxed)
        // A refresh token that has been sent is worth waiting for: its answer holds the next one.
        errands.close(patience: Self.closePatience) { around.client.close() }
        thread.close()
    }

    /// Between two looks at files that cannot be watched.
    static let pollInterval: Duration = .seconds(10)
    static let closePatience: Duration = .seconds(10)

    /// Looks at the clocks; for clocks that are moved by hand.
    nonisolated func wake() { thread.wake() }

    /// Has `body` performed on the refresher's thread, in the order of the calls.
    nonisolated func post(_ body: @escaping @Sendable (isolated TokenRefresher) -> Void) {
        thread.post { [self] in assumeIsolated { body($0) } }
    }

    // MARK: Settings

    /// Goes on with these providers. `directory` is where a state may come to be, and `openStore` opens it.
    func adopt(
        _ boards: [CredentialBoard], store: (any RecordStore)?, directory: String?,
        openStore: @escaping () throws(StateFailure) -> (any RecordStore)?
    ) {
        self.store = store
        self.openStore = openStore
        stateDirectory = directory
        var keepers: [String: Keeper] = [:]
        for board in boards where board.provider.canRenew || board.verification != nil {
            let name = board.provider.name
            if let known = self.keepers[name], known.board === board {
                keepers[name] = known
            } else {
                keepers[name] = Keeper(board)
            }
        }
        let added = keepers.values.filter { keeper in
            self.keepers[keeper.provider.name]?.board !== keeper.board
        }
        self.keepers = keepers
        watch.replace(
            paths: keepers.values.flatMap { $0.provider.secretFiles.values }
                + [stateDirectory.map { "\($0)/\(StateStore.doorbellName)" }].compactMap { $0 })
        for keeper in added { begin(keeper.provider.name) }
        // What a file holds may have changed since it was read.
        for (name, keeper) in keepers where !keeper.provider.secretFiles.isEmpty { checkSecrets(name) }
    }

    private func begin(_ name: String) {
        readState(name)
        publish(name)
    }

    // MARK: Time and news

    private func turn(_ isReadable: Bool) -> Duration {
        let now = around.clock.now
        if isReadable, watch.drain() {
            filesChanged()
        } else if !watch.isComplete, nextPoll.isReached(at: now) {
            // Not everything can be watched here: look by the clock.
            nextPoll = now + Self.pollInterval
            filesChanged()
        }
        var wait = look(at: now)
        for (name, keeper) in keepers {
            if keeper.secretsRetry.isReached(at: now) { checkSecrets(name) }
            for index in keeper.lives.indices {
                if keeper.lives[index].machine.due.isReached(at: now) { handle(.looked, name, index) }
            }
            for life in keepers[name]?.lives ?? [] { wait = min(wait, life.machine.due.remaining(at: now)) }
            wait = min(wait, keepers[name]?.secretsRetry.remaining(at: now) ?? wait)
        }
        if !whenAtRest.isEmpty, !isLooking, !keepers.values.contains(where: \.isCalling) {
            for done in whenAtRest { done() }
            whenAtRest = []
        }
        return wait
    }

    /// Looks, when it is time, at what other replicas have written. Answers how long until the next look.
    private func look(at now: Moment) -> Duration {
        guard let store, let interval = store.lookInterval, !isLooking else { return TurnThread.waitMax }
        guard nextLook.isReached(at: now) else { return nextLook.remaining(at: now) }
        nextLook = now + interval
        let places = keepers.values.flatMap(\.places)
        isLooking = errands.run { [self] in
            let hasNews = store.look(at: places)
            post { $0.looked(hasNews) }
        }
        return interval
    }

    private func looked(_ hasNews: Bool) {
        isLooking = false
        if hasNews { filesChanged() }
    }

    /// Calls `done` once no call is under way.
    func rest(_ done: @escaping @Sendable () -> Void) { whenAtRest.append(done) }

    /// A file with a secret, or the state, was written to.
    private func filesChanged() {
        if store == nil, let stateDirectory, access(stateDirectory, F_OK) == 0 {
            do throws(StateFailure) { store = try openStore() } catch {
                around.logger.error("state cannot be used", metadata: ["reason": "\(error)"])
            }
        }
        for name in keepers.keys {
            readState(name)
            if keepers[name]?.provider.secretFiles.isEmpty == false || keepers[name]?.provider.rotation != nil
            {
                checkSecrets(name)
            }
        }
    }

    func hear(_ news: CredentialBoard.News, of name: String) {
        switch news {
        case .expired:
            for index in keepers[name]?.lives.indices ?? 0..<0 { handle(.looked, name, index) }
        case .refused(let generation): refused(generation, name)
        case .verified: keepVerifications(name)
        }
    }

    private func refused(_ generation: Int, _ name: String) {
        guard let keeper = keepers[name], keeper.board.current.snapshot.generation == generation else {
            return
        }
        for index in keeper.lives.indices {
            if let version = keeper.lives[index].machine.held(at: around.clock.now)?.version {
                handle(.refused(version: version), name, index)
                if keepers[name]?.lives[index].machine.isCalling == true {
                    recordRefusal(name, keeper.lives[index].settings.name)
                }
            }
        }
        if keeper.lives.isEmpty {
            recordRefusal(name, "")
            keepers[name]?.isRefused = true
            checkSecrets(name)
        }
        guard keepers[name]?.isCalling == false else { return }
        // A command beside us may have brought a better one, and its bell may not have been heard yet.
        readState(name)
        if keepers[name]?.board.current.snapshot.generation == generation { settle(name) }
    }

    /// For a moment there is nothing better than what was refused.
    func settle(_ name: String) {
        guard var keeper = keepers[name] else { return }
        keeper.settled = CredentialPublication.Settled(
            generation: keeper.board.current.snapshot.generation, until: around.clock.now + Self.quietTime)
        keepers[name] = keeper
        publish(name)
    }

    /// After a refusal that cannot be helped, before one of the same credential is looked at again.
    static let quietTime: Duration = .seconds(5)

    // MARK: Renewals

    func handle(_ event: CredentialLife.Event, _ name: String, _ index: Int) {
        let jitter = Double.random(in: 0..<1, using: &dice)
        guard
            let step = keepers[name]?.lives[index].machine.handle(event, at: around.clock.now, jitter: jitter)
        else { return }
        if step.calls { renew(name, index) }
        if step.publishes { publish(name) }
    }

    private func renew(_ name: String, _ index: Int, isForced: Bool = false) {
        guard let keeper = keepers[name], let store else { return }
        let life = keeper.lives[index]
        var renewal = Renewal(
            credential: life.settings, calls: calls(for: keeper), store: store, bootID: bootID)
        renewal.isCancelled = { [self] in isClosing.load(ordering: .relaxed) }
        let board = keeper.board
        let isTaken = errands.run { [self, renewal] in
            let outcome = renewal.perform(known: life.kept, isForced: isForced)
            post { $0.renewed(board, index, outcome) }
        }
        if !isTaken { handle(.failed(.unavailable("the system has no thread to give")), name, index) }
    }

    private func calls(for keeper: Keeper) -> ProviderCalls {
        ProviderCalls(
            provider: keeper.provider, secrets: keeper.secrets, client: around.client, clock: around.clock,
            quotas: keeper.board.quotas)
    }

    private func renewed(_ board: CredentialBoard, _ index: Int, _ outcome: Renewal.Outcome) {
        // After a reload the keeper is another one; it finds in the state what this one has brought.
        let name = board.provider.name
        guard let keeper = keepers[name], keeper.board === board else { return }
        log(outcome, name, keeper.lives[index].settings.name)
        tallies["\(name)/\(keeper.lives[index].settings.name)", default: RenewalTally()]
            .note(outcome, keeper.lives[index].machine.cause, at: around.clock.wall())
        note(AuditEvent(outcome, of: keeper.lives[index].settings.name, name))
        switch outcome {
        case .obtained(let kept, _, _), .adopted(let kept):
            take(kept, name, index, isOurs: true)
        case .failed(let fault):
            handle(.failed(fault), name, index)
            if keepers[name]?.isCalling == false { settle(name) }
        }
    }

    private func take(_ kept: KeptCredential, _ name: String, _ index: Int, isOurs: Bool) {
        if kept.version >= keepers[name]?.lives[index].kept?.version ?? 0 {
            keepers[name]?.lives[index].kept = kept
        }
        if isOurs { keepers[name]?.stateFault = nil }
        let expires = kept.stored.expiry(at: around.clock.now, bootID: bootID)
        let life = kept.stored.life
        handle(
            isOurs
                ? .obtained(version: kept.version, expires: expires, life: life)
                : .adopted(version: kept.version, expires: expires, life: life), name, index)
    }

    /// Takes over what is kept and newer than what is held.
    private func readState(_ name: String) {
        guard let keeper = keepers[name], let store else { return }
        readVerifications(of: keeper)
        do throws(StateFailure) {
            if keeper.provider.rotation != nil, keeper.stateFault != nil || keeper.isUntouched {
                let overrides = SecretOverrides(provider: keeper.provider, store: store, isCopy: true)
                keepers[name]?.take(try overrides.applied(to: keeper.provider.secrets))
            }
            for index in keeper.lives.indices {
                let life = keeper.lives[index]
                let renewal = Renewal(
                    credential: life.settings, calls: calls(for: keeper), store: store, bootID: bootID)
                guard let kept = try renewal.copy(), kept.version > life.kept?.version ?? 0 else { continue }
                noteTaken(kept, name, life)
                take(kept, name, index, isOurs: false)
            }
            keepers[name]?.stateFault = nil
        } catch {
            if keeper.provider.rotation != nil {
                keepers[name]?.secretsRetry = around.clock.now + Self.secretsRetryTime
            }
            keepers[name]?.stateFault = "The state cannot be read: \(error.description)"
            around.logger.error(
                "state cannot be read", metadata: ["provider": "\(name)", "reason": "\(error)"])
        }
    }

    func note(_ event: AuditEvent) {
        if thrift.admits(event, at: around.clock.now) { around.record(event) }
    }

    /// A command beside us, or another process, has brought it; the first one was kept from before.
    private func noteTaken(_ kept: KeptCredential, _ name: String, _ life: Keeper.Life) {
        // Our own call for the next one comes upon it too, and is noted when it is over.
        guard !life.machine.isCalling else { return }
        let key = "\(name)/\(life.settings.name)"
        guard life.kept != nil || life.machine.trouble != nil else {
            tallies[key, default: RenewalTally()].recall(kept.stored.obtainedAt)
            return
        }
        tallies[key, default: RenewalTally()].note(.adopted(kept), .asked, at: around.clock.wall())
        log(.adopted(kept), name, life.settings.name)
    }

    // MARK: Publishing

    func publish(_ name: String) {
        guard var keeper = keepers[name] else { return }
        let publication = keeper.publication(at: around.clock.now)
        keepers[name] = keeper
        keeper.board.publish(publication)
        keeper.board.publish(
            keeper.lives.map { life in
                CredentialReport(life, tallies["\(name)/\(life.settings.name)"] ?? RenewalTally())
            })
        around.announce(name)
    }
}

// MARK: Records

extension TokenRefresher {
    private func log(_ outcome: Renewal.Outcome, _ provider: String, _ credential: String) {
        var metadata: Logger.Metadata = ["provider": "\(provider)", "credential": "\(credential)"]
        switch outcome {
        case .obtained(let kept, let how, let notes):
            metadata["how"] = "\(how.rawValue)"
            metadata["seconds"] = "\(kept.stored.life.milliseconds / 1_000)"
            around.logger.info("credential obtained", metadata: metadata)
            for note in notes {
                metadata["reason"] = "\(note)"
                around.logger.warning("credential is odd", metadata: metadata)
            }
        case .adopted:
            around.logger.info("credential taken over from another process", metadata: metadata)
        case .failed(let fault):
            metadata["reason"] = "\(fault.words)"
            around.logger.error("credential not obtained", metadata: metadata)
        }
    }
}
