import Glibc
import Logging
import Synchronization
package import TollkeyCore

/// The admin listener's life: opened with the first configuration, changed by a reload, closed last.
extension Server {
    /// Ports of the admin listener's TCP sockets, in no order.
    package var adminPorts: [Int] { state.withLock { $0.admin }?.ports ?? [] }

    /// Opens what `settings` wants and is not open; what was opened by others is taken. Nothing is closed when it
    /// throws.
    func openAdmin(
        _ settings: AdminSettings, inherited: [ListenAddress: ListeningSocket] = [:]
    ) throws(StartFailure) -> [ListenAddress: ListeningSocket] {
        let known = state.withLock { $0.admin }?.open ?? [:]
        return try open(settings.listeners, keeping: known.merging(inherited) { $1 })
    }

    /// Goes on with `sockets`, and answers by `settings`.
    func startAdmin(_ settings: Settings, _ sockets: [ListenAddress: ListeningSocket]) throws(StartFailure) {
        let desk = adminDesk(settings)
        let known = state.withLock { state in
            state.desk = desk
            return state.admin
        }
        let wanted = sockets.filter { settings.admin.listeners.contains($0.key) || $0.value.isInherited }
        if let known {
            if known.open.keys == wanted.keys { return }
            let kept = known.release()
            for (address, socket) in kept where wanted[address] == nil { socket.close(address) }
        }
        guard !wanted.isEmpty else { return state.withLock { $0.admin = nil } }
        let listener = try AdminListener(wanted) { [weak self] request, peer in
            self?.state.withLock { $0.desk }?.answer(request, peer)
                ?? .problem(.draining, "The proxy is shutting down.")
        }
        state.withLock { $0.admin = listener }
    }

    /// Takes no operator any more. Answers who has those whose requests are under way.
    func closeAdmin() -> AdminListener? {
        let admin = state.withLock { state in
            state.desk = nil
            defer { state.admin = nil }
            return state.admin
        }
        admin?.close()
        return admin
    }

    /// A rotation's answer holds the only new key that there is.
    func waitForOperators(at admin: AdminListener?, until end: MonotonicTime) {
        admin?.waitForAnswers(.nanoseconds(end.since(.system()).nanoseconds))
        for name in unsavedRotations.providers {
            logger.critical(
                "a new key, which the state could not take, is lost", metadata: ["provider": "\(name)"])
        }
    }

    private func adminDesk(_ settings: Settings) -> AdminDesk {
        let names = (settings.admin.listeners + settings.listeners).compactMap { listener -> String? in
            if case .tcp(let host, _) = listener { host } else { nil }
        }
        return AdminDesk(
            visitors: AdminGuard(
                settings: settings.admin, hosts: settings.hosts + names, ownUID: geteuid()),
            logger: logger,
            actions: AdminActions(
                logControl: logControl, flows: flows, unsaved: unsavedRotations,
                desk: { [weak self] in try self?.desk(for: $0, by: $1) },
                reload: { [weak self] actor in
                    guard let reload = self?.reloading.withLock({ $0 }) else {
                        return "The configuration cannot be read again here."
                    }
                    return reload(actor)
                }, note: { [weak self] in self?.audit?.record($0) }),
            status: { [weak self] asksLedger in
                self?.status(asksLedger: asksLedger)
                    ?? ServerStatus(now: Clock.system.now, version: Version.text)
            },
            silentLoops: { [weak self] in self?.silentLoops() ?? [] })
    }

    /// The provider as it is now, in an operator's hands.
    private func desk(for name: String, by actor: AuditActor) throws -> Operator? {
        let (table, store) = state.withLock { ($0.table, $0.store) }
        guard let table, let board = table.services.first(where: { $0.provider.name == name })?.board else {
            return nil
        }
        return Operator(
            board.provider, store: try store ?? table.settings.openState(clock: clock, logger: logger),
            client: try Operator.client(), clock: clock, quotas: board.quotas,
            audit: OperatorAudit(actor: actor, trail: audit))
    }

    /// What an operator's reload does; its result is what is wrong with the configuration, or nil.
    package func onReload(_ reload: @escaping @Sendable (AuditActor) -> String?) {
        reloading.withLock { $0 = reload }
    }

    /// Notes what became of an attempt to go over to another configuration; `problems` is nil when it was loaded.
    package func noteReload(_ problems: String?, by actor: AuditActor) {
        audit?.record(
            AuditEvent(.reload, problems == nil ? .done : .refused, by: actor, words: problems ?? ""))
        let now = clock.wall()
        state.withLock { state in
            state.process.lastReload = ServerStatus.Reload(time: now, problems: problems)
            if problems == nil {
                state.process.reloadsLoaded &+= 1
                state.process.loaded = now
            } else {
                state.process.reloadsRefused &+= 1
            }
        }
    }
}

extension Server {
    /// The one that there is, where nothing about it has changed.
    func spanExporter(
        _ settings: Settings, after before: ServiceTable?
    ) throws(StartFailure) -> SpanExporter? {
        guard let traces = settings.traces else { return nil }
        if let known = before?.spans, before?.settings.traces == traces { return known }
        do throws(SystemError) {
            let exporter = try SpanExporter(
                traces, version: Version.text, instance: pseudonym, clock: clock, logger: logger)
            guard exporter.start() else { throw SystemError("pthread_create", EAGAIN) }
            state.withLock { $0.exporters.append(exporter) }
            return exporter
        } catch { throw StartFailure(error.description) }
    }

    /// Closes it on a thread of its own: its last spans may take a while.
    func retire(_ exporter: SpanExporter?) {
        guard let exporter else { return }
        let close = { @Sendable [weak self] in
            exporter.close()
            self?.state.withLock { state in
                state.exporters.removeAll { $0 === exporter }
                state.spansDropped &+= UInt64(exporter.dropped)
            }
        }
        if !Threads.start("spans-end", close) { close() }
    }
}
