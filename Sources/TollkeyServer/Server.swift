import Glibc
package import Logging
import Synchronization
package import TollkeyCore

/// The proxy as a whole: sockets, one event loop per thread, reload and drain.
///
/// May be called from any thread, one call at a time.
package final class Server: Sendable {
    struct State {
        var sockets: [ListenAddress: ListeningSocket] = [:]
        var mailboxes: [Mailbox] = []
        var isDraining = false
        var table: ServiceTable?
        var refresher: TokenRefresher?
        var clerk: LedgerClerk?
        /// Where the clerk's ledger is.
        var shared: SharedSettings?
        var store: (any RecordStore)?
        var admin: AdminListener?
        var desk: AdminDesk?
        var process = ServerStatus.Process()
        /// Those that have not ended: the table's, and earlier ones that send their last spans.
        var exporters: [SpanExporter] = []
        /// By exporters that are no more.
        var spansDropped: UInt64 = 0
        var audit: AuditTrail?
    }
    let state = Mutex(State())
    /// Held by whoever changes the proxy as a whole.
    private let changing = Mutex(())
    let logger: Logger
    let clock: Clock
    let sink: LogSink?
    let flows = PersonFlows()
    let unsavedRotations = UnsavedRotations()
    /// Reads the configuration again; what is wrong with it, or nil.
    let reloading = Mutex<(@Sendable (AuditActor) -> String?)?>(nil)
    package let logControl: LogControl
    private let resolver: Resolver
    /// Opened by each event loop that has told what it has counted.
    let reported: Gate
    let reporting = Mutex(())
    /// Counts threads that have started, and later those that have ended.
    private let started: Gate
    private let ended: Gate
    private let stoppedListening: Gate
    private let drained: Gate
    /// This process in `Via`.
    let pseudonym = "tollkey-\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))"

    /// `sink` takes a line for each request, as `logControl` says; nil: there are none.
    package init(
        logger: Logger, clock: Clock = .system, sink: LogSink? = nil, logControl: LogControl = LogControl()
    ) throws(StartFailure) {
        self.logger = logger
        self.clock = clock
        self.sink = sink
        self.logControl = logControl
        do throws(SystemError) {
            resolver = try Resolver()
            reported = try Gate()
            started = try Gate()
            ended = try Gate()
            stoppedListening = try Gate()
            drained = try Gate()
        } catch { throw StartFailure(error.description) }
    }

    /// Reads TLS files, binds, and returns once every event loop accepts. `inherited` are sockets that listen
    /// already; those that `settings` names take that place, the others are served besides.
    package func start(_ settings: Settings, inherited: [Int32] = []) throws(StartFailure) {
        signal(SIGPIPE, SIG_IGN)
        let table = try makeTable(settings, after: nil)
        var adopted = adopt(inherited, settings.listeners + settings.admin.listeners)
        let adminSockets = adopted.filter {
            settings.admin.listeners.contains($0.key) && !settings.listeners.contains($0.key)
        }
        adopted = adopted.filter { adminSockets[$0.key] == nil }
        let sockets = try open(settings.listeners, keeping: adopted)
        let openAdminSockets = try openAdmin(settings.admin, inherited: adminSockets)
        try refresh(with: table)
        var mailboxes: [Mailbox] = []
        for index in 0..<settings.threads {
            guard let mailbox = try startLoop(index, table) else {
                throw StartFailure("the system has no thread to give")
            }
            mailboxes.append(mailbox)
        }
        state.withLock {
            $0.sockets = sockets
            $0.mailboxes = mailboxes
        }
        introduceLoops()
        let now = clock.now
        state.withLock {
            $0.process.started = now
            $0.process.loaded = now.wall
        }
        try startAdmin(settings, openAdminSockets)
        for (address, socket) in sockets { listen(address, socket, mailboxes) }
    }

    /// Ports of the TCP listeners, in no order.
    package var ports: [Int] {
        state.withLock { $0.sockets.values.map(\.boundPort).filter { $0 != 0 } }
    }

    /// Goes over to `settings`: all of it, or, when it throws, none. The number of threads stays.
    package func reload(_ settings: Settings) throws(StartFailure) {
        // Told at once: whoever ends the proxy keeps `changing` until it has ended.
        try refuseWhenDraining()
        try changing.withLock { _ throws(StartFailure) in
            try refuseWhenDraining()
            let before = state.withLock { $0.table }
            let table = try makeTable(settings, after: before)
            do throws(StartFailure) { try goOver(to: table) } catch {
                if table.spans !== before?.spans { retire(table.spans) }
                throw error
            }
            if table.spans !== before?.spans { retire(before?.spans) }
        }
    }

    private func refuseWhenDraining() throws(StartFailure) {
        if state.withLock({ $0.isDraining }) { throw StartFailure("the proxy is shutting down") }
    }

    private func goOver(to table: ServiceTable) throws(StartFailure) {
        let settings = table.settings
        let (before, mailboxes) = state.withLock { ($0.sockets, $0.mailboxes) }
        introduceLoops()
        let sockets = try open(settings.listeners, keeping: before)
        do throws(StartFailure) {
            let adminSockets = try openAdmin(settings.admin)
            do throws(StartFailure) { try refresh(with: table) } catch {
                let known = state.withLock { $0.admin }?.open ?? [:]
                for (address, socket) in adminSockets where known[address] == nil { socket.close(address) }
                throw error
            }
            try startAdmin(settings, adminSockets)
        } catch {
            for (address, socket) in sockets where before[address] == nil { socket.close(address) }
            throw error
        }
        for mailbox in mailboxes { mailbox.post { $0.reload(table) } }
        for (address, socket) in sockets where before[address] == nil { listen(address, socket, mailboxes) }
        // What a service manager has handed over stays, named or not: only it can make such a socket again.
        let gone = before.filter { !settings.listeners.contains($0.key) && !$0.value.isInherited }
        for (address, socket) in gone {
            for mailbox in mailboxes { mailbox.post { $0.stopListening(address) } }
            socket.close(address)
        }
        state.withLock { $0.sockets = sockets.filter { gone[$0.key] == nil } }
    }

    /// Accepts nobody any more, lets running exchanges end within `timeout`, and ends every thread. A second call has
    /// nothing to do.
    package func drain(timeout: Duration) {
        let isFirst = state.withLock { state in
            defer { state.isDraining = true }
            return !state.isDraining
        }
        guard isFirst else { return }
        // A reload that is under way is not cut in half; none begins any more.
        changing.withLock { _ in end(within: timeout) }
    }

    private func end(within timeout: Duration) {
        let (sockets, mailboxes) = state.withLock { state in
            defer { state.sockets = [:] }
            // They stay, since credentials for those who wait come through them.
            return (state.sockets, state.mailboxes)
        }
        // The loops let in who is waiting and close their duplicates; with ours the system turns everybody away, and
        // only then does anybody see that the end has begun.
        for mailbox in mailboxes {
            mailbox.post { [stoppedListening] worker in
                worker.stopListening()
                stoppedListening.open()
            }
        }
        _ = stoppedListening.wait(for: mailboxes.count, timeout: nil)
        for (address, socket) in sockets { socket.close(address) }
        for mailbox in mailboxes { mailbox.post { [drained] in $0.drain { drained.open() } } }
        if !drained.wait(for: mailboxes.count, timeout: timeout) {
            for mailbox in mailboxes { mailbox.post { $0.endDraining() } }
        }
        for mailbox in mailboxes { mailbox.post { $0.loop.stop() } }
        _ = ended.wait(for: mailboxes.count, timeout: nil)
        resolver.close()
        let (refresher, store, clerk) = state.withLock { state in
            defer { (state.refresher, state.clerk, state.mailboxes) = (nil, nil, []) }
            return (state.refresher, state.store, state.clerk)
        }
        let patience = MonotonicTime.system() + TimeSpan(TokenRefresher.closePatience)
        let admin = closeAdmin()
        refresher?.close()
        waitForOperators(at: admin, until: patience)
        store?.close()
        clerk?.close()
        endTrail()
        state.withLock { $0.table }?.spans?.close()
    }

    /// Has every event loop look at the clock; for clocks that are moved by hand.
    package func wake() {
        for mailbox in state.withLock({ $0.mailboxes }) { mailbox.post { _ in } }
        let (refresher, clerk) = state.withLock { ($0.refresher, $0.clerk) }
        refresher?.wake()
        clerk?.wake()
    }

    /// Returns once no call for a credential is under way.
    package func waitForCredentials() {
        guard let refresher = state.withLock({ $0.refresher }), let rest = try? Gate() else { return }
        refresher.post { $0.rest { rest.open() } }
        _ = rest.wait(for: 1, timeout: nil)
    }

    /// Returns once the ledger has been asked what was to be asked before.
    package func waitForQuotas() { state.withLock { $0.clerk }?.waitForTurn() }

    // MARK: Starting

    /// Providers about which nothing has changed keep their credentials as they stand.
    private func makeTable(
        _ settings: Settings, after before: ServiceTable?
    ) throws(StartFailure) -> ServiceTable {
        var boards: [String: CredentialBoard] = [:]
        for service in before?.services ?? [] { boards[service.provider.name] = service.board }
        let clerk = try ledgerClerk(settings)
        let spans = try spanExporter(settings, after: before)
        do {
            return try ServiceTable(settings, pseudonym: pseudonym, spans: spans) { provider in
                let known = boards[provider.name]
                if let known, known.provider.isSame(as: provider) { return known }
                let generation = (known?.current.snapshot.generation ?? 0) + 1
                let isSameAccount = known?.provider.upstream == provider.upstream
                let verifications = isSameAccount ? known?.verification?.tokens ?? [] : []
                let quotas = clerk.flatMap { ProviderQuotas(provider, known: known?.quotas, clerk: $0) }
                return CredentialBoard(
                    provider, generation: generation, quotas: quotas, verifications: verifications
                ) {
                    [weak self] name, news in
                    self?.state.withLock { $0.refresher }?.post { $0.hear(news, of: name) }
                }
            }
        } catch {
            if spans !== before?.spans { retire(spans) }
            throw StartFailure(error.description)
        }
    }

    /// Who asks the ledger; begun when there is first a limit.
    private func ledgerClerk(_ settings: Settings) throws(StartFailure) -> LedgerClerk? {
        guard settings.hasLimits else { return nil }
        let (known, shared) = state.withLock { ($0.clerk, $0.shared) }
        if let known {
            if shared != settings.shared {
                logger.warning(
                    "another 'shared' counts for limits after a restart only; until then they are counted where they were"
                )
            }
            return known
        }
        do {
            let ledger = try ProviderQuotas.makeLedger(settings, clock: clock, logger: logger)
            let clerk = try LedgerClerk(ledger, clock: clock, logger: logger)
            guard clerk.start() else { throw StartFailure("the system has no thread to give") }
            state.withLock { ($0.clerk, $0.shared) = (clerk, settings.shared) }
            return clerk
        } catch let error as StartFailure {
            throw error
        } catch { throw StartFailure("\(error)") }
    }

    private func introduceLoops() {
        let (clerk, mailboxes) = state.withLock { ($0.clerk, $0.mailboxes) }
        for (index, mailbox) in mailboxes.enumerated() { clerk?.add(mailbox, place: UInt64(index)) }
    }

    /// Has the credentials of `table` kept alive, by a token refresher that is begun when there is first something to
    /// do.
    private func refresh(with table: ServiceTable) throws(StartFailure) {
        let settings = table.settings
        var (refresher, store) = state.withLock { ($0.refresher, $0.store) }
        do {
            if store == nil, settings.needsState || settings.mayUseState && Self.hasState(settings) {
                store = try settings.openState(clock: clock, logger: logger)
            }
            if refresher == nil, settings.mayUseState || settings.providers.contains(where: \.canRenew) {
                refresher = try makeRefresher()
            }
        } catch let error as StartFailure {
            throw error
        } catch { throw StartFailure("\(error)") }
        state.withLock { [refresher, store] state in
            state.table = table
            state.refresher = refresher
            state.store = store
        }
        beginTrail(settings, store)
        let directory = settings.mayUseState ? Self.directory(settings) : nil
        refresher?.post { [clock, logger, store, weak self] refresher in
            refresher.adopt(table.services.map(\.board), store: store, directory: directory) {
                () throws(StateFailure) in
                let opened = try settings.openState(clock: clock, logger: logger)
                self?.beginTrail(settings, opened)
                return opened
            }
        }
    }

    private func makeRefresher() throws -> TokenRefresher {
        let around = TokenRefresher.Surroundings(
            client: try CallClient(), clock: clock, logger: logger,
            announce: { [weak self] in self?.announce($0) },
            record: { [weak self] in self?.audit?.record($0) })
        let refresher = try TokenRefresher(around)
        guard refresher.start() else { throw StartFailure("the system has no thread to give") }
        return refresher
    }

    // MARK: The audit trail

    /// nil where no state is kept.
    package var audit: AuditTrail? { state.withLock { $0.audit } }

    /// Once there is a state, and a state where one was named. Without it everything goes on.
    private func beginTrail(_ settings: Settings, _ store: (any RecordStore)?) {
        if let known = audit { return known.adopt(settings.audit) }
        guard let trail = AuditTrail.begun(settings, beside: store, clock: clock, logger: logger) else {
            return
        }
        // The refresher may have come upon the state at the same time.
        let isOurs = state.withLock { state in
            guard state.audit == nil else { return false }
            state.audit = trail
            return true
        }
        if !isOurs { trail.close() }
    }

    private func endTrail() {
        let trail = state.withLock { $0.audit.take() }
        trail?.end(logger)
    }

    private func announce(_ provider: String) {
        for mailbox in state.withLock({ $0.mailboxes }) {
            mailbox.post { $0.credentialsChanged(provider) }
        }
    }

    static func directory(_ settings: Settings) -> String { settings.state ?? defaultState }

    /// Where nothing must be kept, none is begun; a command may have begun one.
    private static func hasState(_ settings: Settings) -> Bool {
        access(directory(settings), F_OK) == 0
    }

    /// Where what must outlive the process is, when nothing says it: in the working directory.
    package static let defaultState = "tollkey-state"

    private func startLoop(_ index: Int, _ table: ServiceTable) throws(StartFailure) -> Mailbox? {
        let slot = Slot()
        let isRunning = Threads.start("loop-\(index)") {
            [clock, resolver, sink, logger, logControl, started, ended] in
            defer { ended.open() }
            guard let loop = try? EventLoop(clock: clock) else { return started.open() }
            let worker = Worker(
                table, index: index, loop: loop, resolver: resolver, log: CallLog(sink, logControl),
                logger: logger)
            slot.mailbox.withLock { $0 = loop.mailbox }
            started.open()
            loop.run(serving: worker)
        }
        guard isRunning else { return nil }
        _ = started.wait(for: 1, timeout: nil)
        return slot.mailbox.withLock { $0 }
    }

    private final class Slot: Sendable { let mailbox = Mutex<Mailbox?>(nil) }

    private func listen(_ address: ListenAddress, _ socket: ListeningSocket, _ mailboxes: [Mailbox]) {
        for mailbox in mailboxes {
            let duplicate = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 3)
            guard duplicate >= 0 else { continue }
            mailbox.post { $0.listen(address, duplicate) }
        }
    }
}
