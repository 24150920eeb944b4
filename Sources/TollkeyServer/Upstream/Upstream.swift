import TollkeyCore

/// One provider as one event loop sees it: its connections, idle and busy, and the exchanges that wait for one.
final class Upstream {
    let loop: EventLoop
    private(set) var service: Service
    /// What is injected now; a renewal replaces it between two calls.
    let credentials: CredentialView
    let sessions = TLSSessions()

    /// The connection used last is taken first, so that those that are not needed become old and go.
    private var idle: [UpstreamConnection] = []
    private var open = 0
    let tally: CallTally
    private var connecting = 0
    private var waiting: [ExchangeDriver] = []
    private var isRetired = false
    private var isConnecting = false
    /// Given back, and not given to the next one yet.
    private var free: [UpstreamConnection] = []
    private var isGiving = false
    /// The system has no descriptor for another connection, and is not asked again before.
    private var starvedUntil = MonotonicTime(nanoseconds: .min)

    private static let starvingTime = TimeSpan(.milliseconds(100))

    private let resolver: Resolver
    private var addresses: [SocketAddress] = []
    private var addressesAge = MonotonicTime.never
    private var isResolving = false
    /// From when on it may be looked up anew because its addresses fail.
    private var doubtedNext = MonotonicTime(nanoseconds: .min)
    /// Connections that failed while it is being looked up whether the name has moved, and what the last one said.
    private var doubts: (count: Int, failure: Failure)?

    /// The system's resolver does not say how long an answer holds.
    static let addressesLife = TimeSpan(.seconds(30))
    /// Between two doubts, so that a provider that is down costs one look-up a second.
    static let doubtTime = TimeSpan(.seconds(1))

    init(_ service: Service, loop: EventLoop, resolver: Resolver, tally: CallTally) {
        self.tally = tally
        self.service = service
        self.loop = loop
        self.resolver = resolver
        credentials = CredentialView(service.board, loop: loop)
        addresses = service.addresses
    }

    /// Goes on with settings that differ in nothing that concerns connections.
    func adopt(_ service: Service) {
        self.service = service
        credentials.adopt(service.board)
    }

    /// No exchange will come any more: idle connections are closed, busy ones when they are given back.
    func retire() {
        isRetired = true
        credentials.abandon()
        for connection in idle { connection.close() }
    }

    var openCount: Int { open }
    var idleCount: Int { idle.count }

    // MARK: For exchanges

    /// Whether a connection may be opened besides those there are.
    var canConnect: Bool { open < service.provider.pool.connections && !isStarved }

    private var isStarved: Bool { loop.now < starvedUntil }

    /// A connection for `exchange`, now or later; it is told. `isFresh`: not one that has carried anything.
    func acquire(for exchange: ExchangeDriver, isFresh: Bool) {
        if !isFresh {
            while let connection = idle.popLast() {
                // It may have ended since the loop last looked, which a request that cannot be repeated must not risk.
                if exchange.mustNotBeLost, !connection.isQuiet {
                    connection.close()
                    continue
                }
                connection.begin(exchange)
                return
            }
        }
        // Those for whom a connection is being made do not wait for one that is busy.
        let pool = service.provider.pool
        let room = isStarved ? 0 : max(0, pool.connections - open)
        guard waiting.count - connecting < room + pool.waiting else {
            exchange.connectionFailed(
                Failure(
                    .overloaded, "Too many calls wait for a connection to the provider.", retryAfter: 1))
            return
        }
        waiting.append(exchange)
        connectIfNeeded()
    }

    /// `exchange` wants no connection any more.
    func cancel(_ exchange: ExchangeDriver) {
        waiting.removeAll { $0 === exchange }
        credentials.cancel(exchange)
    }

    // MARK: For connections

    func connected(_ connection: UpstreamConnection) {
        connecting -= 1
        giveOrKeep(connection)
    }

    func connectFailed(_ failure: Failure) {
        connecting -= 1
        open -= 1
        descriptorFreed()
        if mayHaveMoved {
            if doubts == nil { doubtedNext = loop.now + Self.doubtTime }
            doubts = ((doubts?.count ?? 0) + 1, failure)
            resolve()
        } else {
            if !waiting.isEmpty { waiting.removeFirst().connectionFailed(failure) }
            connectIfNeeded()
        }
    }

    /// The system has no descriptor, or no memory. Who waits goes on waiting for a connection that is open already.
    func connectImpossible(_ reason: String) {
        connecting -= 1
        open -= 1
        guard open > 0 else {
            if !waiting.isEmpty {
                waiting.removeFirst().connectionFailed(
                    Failure(
                        .overloaded,
                        "This machine has nothing left for a connection to the provider: \(reason).",
                        retryAfter: 1))
            }
            return connectIfNeeded()
        }
        starvedUntil = loop.now + Self.starvingTime
        for exchange in waiting { exchange.waitsForPool(self) }
    }

    private func descriptorFreed() { starvedUntil = MonotonicTime(nanoseconds: .min) }

    func release(_ connection: UpstreamConnection) {
        if let next = waiting.first, next.mustNotBeLost, !connection.isQuiet { return connection.close() }
        giveOrKeep(connection)
    }

    func closed(_ connection: UpstreamConnection, wasIdle: Bool) {
        open -= 1
        descriptorFreed()
        if wasIdle { idle.removeAll { $0 === connection } }
        connectIfNeeded()
    }

    private func giveOrKeep(_ connection: UpstreamConnection) {
        free.append(connection)
        // Who cannot use it after all gives it back from within: a long line would be as many calls deep.
        guard !isGiving else { return }
        isGiving = true
        defer { isGiving = false }
        while let connection = free.popLast() {
            if !waiting.isEmpty {
                connection.begin(waiting.removeFirst())
            } else if isRetired || idle.count >= service.provider.pool.idle {
                connection.close()
            } else {
                idle.append(connection)
                connection.rest(until: loop.now + service.idleTimeout)
            }
        }
    }

    // MARK: Connecting

    private func connectIfNeeded() {
        // A connection that fails at once comes back here.
        guard !isConnecting else { return }
        isConnecting = true
        defer { isConnecting = false }
        while connecting < waiting.count, canConnect {
            guard hasAddresses() else { return }
            open += 1
            connecting += 1
            tally.figures.openedConnections &+= 1
            UpstreamConnection(self).connect(addresses)
        }
    }

    /// False when they are being looked up; then this is tried again.
    private func hasAddresses() -> Bool {
        if !service.addresses.isEmpty { return true }
        if doubts != nil { return false }
        if addresses.isEmpty || loop.now >= addressesAge { resolve() }
        return !addresses.isEmpty
    }

    /// An address that answers comes first from now on.
    func prefer(_ index: Int) {
        guard index > 0, index < addresses.count else { return }
        addresses.insert(addresses.remove(at: index), at: 0)
    }

    private func resolve() {
        guard !isResolving else { return }
        isResolving = true
        let url = service.provider.upstream
        let mailbox = loop.mailbox
        let addressee = Addressee(upstream: self)
        resolver.lookUp(url.host, url.port) { [weak mailbox] found in
            mailbox?.post { _ in addressee.upstream.resolved(found) }
        }
    }

    /// Lets a reply find back to its upstream.
    // SAFETY: opened on the loop's own thread only, through its mailbox; until then nothing but a reference.
    private struct Addressee: @unchecked Sendable {
        let upstream: Upstream
    }

    private func resolved(_ found: [SocketAddress]?) {
        isResolving = false
        let hasMoved = found.map { Self.areOthers($0, than: addresses) } ?? false
        if let found {
            addresses = found
            addressesAge = loop.now + Self.addressesLife
        } else if addresses.isEmpty {
            let failure = Failure(
                .upstreamUnreachable, "The name of the provider's host cannot be resolved.")
            let failed = waiting
            waiting = []
            for exchange in failed { exchange.connectionFailed(failure) }
            return
        }
        if let doubts {
            self.doubts = nil
            if !hasMoved { fail(doubts.count, doubts.failure) }
        }
        connectIfNeeded()
    }

    /// The addresses that failed came from a look-up, and not just now.
    private var mayHaveMoved: Bool {
        if doubts != nil { return true }
        return service.addresses.isEmpty && !isRetired && loop.now >= doubtedNext
    }

    /// Those whose connection has failed stand first in the line.
    private func fail(_ count: Int, _ failure: Failure) {
        let failed = waiting.prefix(count)
        waiting.removeFirst(failed.count)
        for exchange in failed { exchange.connectionFailed(failure) }
    }

    /// Names with several addresses are answered in a new order each time.
    private static func areOthers(_ found: [SocketAddress], than before: [SocketAddress]) -> Bool {
        found.contains { address in
            let text = address.listenAddress
            return !before.contains { $0.listenAddress == text }
        }
    }
}
