import Glibc
import Logging
import TollkeyCore

/// One event loop's share of the proxy: its listeners, its clients, and each provider's connections.
final class Worker {
    let loop: EventLoop
    private(set) var table: ServiceTable
    private(set) var isDraining = false
    private(set) var upstreams: [Upstream?]
    private var listeners: [ListenAddress: Listener] = [:]
    private(set) var clients: [ObjectIdentifier: ClientConnection] = [:]
    private let resolver: Resolver
    var callLog: CallLog
    private var whenDrained: (@Sendable () -> Void)?
    private let origin = UInt64.random(in: .min ... .max)
    private var requests: UInt64 = 0
    /// In the order of the table's services.
    private(set) var tallies: [CallTally] = []
    /// Of calls to no provider.
    let nowhere = CallTally("")
    var problems = ProblemBook()
    /// nil: no spans are made.
    var traces: TraceStarter?
    private(set) var accepted: UInt64 = 0
    private var tickets: Tickets
    private let logger: Logger
    private var nextNote = MonotonicTime(nanoseconds: .min)
    /// Of the process's descriptors at the start, this loop's clients may have these.
    private let descriptorsMax: Int

    private static let noteTime = TimeSpan(.seconds(60))
    /// Calls that stand in line for a permit.
    private(set) var standing: [UInt64: ExchangeDriver] = [:]

    init(
        _ table: ServiceTable, index: Int, loop: EventLoop, resolver: Resolver, log: CallLog, logger: Logger
    ) {
        self.logger = logger
        descriptorsMax = DescriptorShare.clients(threads: table.settings.threads)
        tickets = Tickets(place: UInt64(index))
        self.table = table
        self.loop = loop
        self.resolver = resolver
        callLog = log
        upstreams = Array(repeating: nil, count: table.services.count)
        adoptTallies()
        adoptTraces()
    }

    // MARK: Listeners and clients

    /// Accepts from `descriptor`, which it owns from now on.
    func listen(_ address: ListenAddress, _ descriptor: Int32) {
        let isUnix = if case .unix = address { true } else { false }
        let listener = Listener(self, isUnix: isUnix)
        guard listener.watch(descriptor) else { return }
        listeners[address] = listener
    }

    func stopListening(_ address: ListenAddress) {
        guard let listener = listeners.removeValue(forKey: address) else { return }
        // Who has been let in by the system is not sent away, room or no room.
        listener.acceptAll()
        listener.closeDescriptor(isShared: true)
    }

    func stopListening() {
        for address in Array(listeners.keys) { stopListening(address) }
    }

    var hasRoom: Bool { clients.count < min(table.settings.limits.connections, descriptorsMax) }

    /// Says, from time to time, that clients wait in the system's queue.
    func noteNoRoom(_ shortage: String? = nil) {
        guard loop.now >= nextNote else { return }
        nextNote = loop.now + Self.noteTime
        let isConfigured = table.settings.limits.connections <= descriptorsMax
        let reason = shortage ?? (isConfigured ? "limits.connections" : "the process's limit of descriptors")
        logger.warning(
            "no room for further clients: they wait until others have gone",
            metadata: ["reason": "\(reason)", "clients": "\(clients.count)"])
    }

    func accepted(_ descriptor: Int32, peer: Admission.Peer?) {
        let client = ClientConnection(self, peer: peer)
        guard client.start(descriptor) else {
            Glibc.close(descriptor)
            return
        }
        clients[ObjectIdentifier(client)] = client
        accepted &+= 1
    }

    func closed(_ client: ClientConnection) {
        clients[ObjectIdentifier(client)] = nil
        for listener in listeners.values { listener.resume() }
        finishDraining()
    }

    // MARK: Providers

    func upstream(_ index: Int) -> Upstream {
        if let upstream = upstreams[index] { return upstream }
        let upstream = Upstream(table.services[index], loop: loop, resolver: resolver, tally: tallies[index])
        upstreams[index] = upstream
        return upstream
    }

    /// The token refresher has published something for the provider.
    func credentialsChanged(_ provider: String) {
        for case let upstream? in upstreams where upstream.service.provider.name == provider {
            upstream.credentials.read()
        }
    }

    // MARK: Lines

    func drawTicket() -> UInt64 { tickets.draw() }

    func stand(_ exchange: ExchangeDriver, _ ticket: UInt64) { standing[ticket] = exchange }

    func leave(_ ticket: UInt64) { standing[ticket] = nil }

    /// What has become of calls in the gate's line; some may have left it meanwhile.
    func quotaDecided(_ outcome: CategoryGate.Outcome, of gate: QuotaGate) {
        for ticket in outcome.admitted {
            if let exchange = standing.removeValue(forKey: ticket) {
                exchange.permitGranted()
            } else {
                gate.giveBack(at: loop.now)
            }
        }
        for ticket in outcome.refused {
            standing.removeValue(forKey: ticket)?.permitRefused(gate.refusal(at: loop.now))
        }
    }

    /// Goes on with `table`. Exchanges that are under way end as they began; connections stay where nothing about
    /// them has changed.
    func reload(_ table: ServiceTable) {
        var byName: [String: Upstream] = [:]
        for upstream in upstreams {
            if let upstream { byName[upstream.service.provider.name] = upstream }
        }
        self.table = table
        adoptTallies()
        adoptTraces()
        upstreams = table.services.map { service in
            guard let known = byName[service.provider.name], known.service.sharesConnections(with: service)
            else { return nil }
            byName[service.provider.name] = nil
            known.adopt(service)
            return known
        }
        for upstream in byName.values { upstream.retire() }
    }

    // MARK: Draining

    /// Lets running exchanges end and then calls `done`, from this loop's thread.
    func drain(done: @escaping @Sendable () -> Void) {
        isDraining = true
        whenDrained = done
        for exchange in Array(standing.values) { exchange.endDraining() }
        for client in Array(clients.values) { client.drain() }
        finishDraining()
    }

    /// Time is up: what still runs is answered or cut.
    func endDraining() {
        for client in Array(clients.values) { client.endDraining() }
    }

    private func finishDraining() {
        guard isDraining, clients.isEmpty, let done = whenDrained else { return }
        whenDrained = nil
        done()
    }

    // MARK: Records

    func nextRequestID() -> RequestID {
        requests &+= 1
        return RequestID(origin: origin, number: requests)
    }

    private func adoptTraces() {
        let chance = { UInt64.random(in: .min ... .max) }
        traces =
            table.spans == nil
            ? nil
            : table.settings.traces.map {
                TraceStarter(share: $0.sample, seed: (chance(), chance(), chance(), chance()))
            }
    }

    private func adoptTallies() {
        let known = Dictionary(tallies.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        tallies = table.services.map { service in
            let tally = known[service.provider.name] ?? CallTally(service.provider.name)
            tally.adopt(service.provider.categories)
            return tally
        }
    }
}
