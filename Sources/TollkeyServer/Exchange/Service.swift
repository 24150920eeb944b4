import TollkeyCore

/// One provider, ready to be used by every event loop: nothing in it changes.
package final class Service: Sendable {
    let provider: ProviderSettings
    let nameInUTF8: [UInt8]
    let place: CallSpan.Place
    let requestIDs: RequestIDPlaces
    let requestRewriter: RequestRewriter
    let responseRewriter: ResponseRewriter
    let board: CredentialBoard
    /// Whether there can be a better credential after a refusal.
    let canRenew: Bool
    /// Whether heads are made from contents, which are held until their end. Known before there is any credential.
    let needsContent: Bool
    /// nil for a plain-HTTP upstream.
    let tls: TLSContext?
    /// What the upstream's certificate must be valid for.
    let serverName: String
    /// Literal ones; empty when the name must be resolved.
    let addresses: [SocketAddress]

    let connectTimeout: TimeSpan
    let tlsTimeout: TimeSpan
    let headTimeout: TimeSpan
    let idleTimeout: TimeSpan
    let transferTimeout: TimeSpan
    let wholeTimeout: TimeSpan?
    /// For a connection that is being made, at the longest, and for one that is busy.
    let openTimeout: TimeSpan
    let poolTimeout: TimeSpan
    let credentialTimeout: TimeSpan

    init(_ provider: ProviderSettings, pseudonym: String, tls: TLSContext?, board: CredentialBoard) {
        self.provider = provider
        nameInUTF8 = Array(provider.name.utf8)
        place = CallSpan.Place(provider)
        requestIDs = RequestIDPlaces(provider.requestID)
        self.board = board
        canRenew = provider.canRenew
        let templates = (provider.inject + provider.defaults).map(\.value) + provider.injectQuery.map(\.value)
        needsContent = ValuePlan(provider.values).requestParts(of: templates).needContent
        self.tls = tls
        requestRewriter = RequestRewriter(provider, pseudonym: pseudonym)
        responseRewriter = ResponseRewriter(provider)
        serverName = provider.tls.serverName ?? provider.upstream.host
        let url = provider.upstream
        addresses =
            provider.addresses.isEmpty
            ? [SocketAddress(host: url.host, port: url.port)].compactMap { $0 }
            : provider.addresses.compactMap { SocketAddress(host: $0.host, port: $0.port) }
        let timeouts = provider.timeouts
        connectTimeout = TimeSpan(timeouts.connect)
        tlsTimeout = TimeSpan(timeouts.tls)
        headTimeout = TimeSpan(timeouts.head)
        transferTimeout = TimeSpan(timeouts.idle)
        wholeTimeout = timeouts.whole.map { TimeSpan($0) }
        idleTimeout = TimeSpan(provider.pool.idleTimeout)
        // Each of the two has a bound of its own, which speaks first.
        openTimeout = TimeSpan(timeouts.connect + timeouts.tls + .seconds(1))
        poolTimeout = TimeSpan(provider.pool.wait)
        credentialTimeout = TimeSpan(provider.credentialWait)
    }

    /// Whether connections made for `other` are as good for this one.
    func sharesConnections(with other: Service) -> Bool {
        provider.upstream == other.provider.upstream && provider.addresses == other.provider.addresses
            && provider.tls == other.provider.tls && tls?.fileMarks == other.tls?.fileMarks
            && provider.pool == other.provider.pool
            && provider.timeouts == other.provider.timeouts
    }
}

/// All that a configuration says, ready to be used; a reload makes a new one.
package final class ServiceTable: Sendable {
    let settings: Settings
    let admission: Admission
    /// In the order of `settings.providers`, which is that of the admission's routes.
    let services: [Service]
    /// nil: nobody wants spans.
    let spans: SpanExporter?

    let headTimeout: TimeSpan
    let bodyTimeout: TimeSpan
    let idleTimeout: TimeSpan

    /// Reads the TLS files that `settings` names. `pseudonym` names this process in `Via`; `board` is where a provider's
    /// credentials are published.
    init(
        _ settings: Settings, pseudonym: String, spans: SpanExporter? = nil,
        board: (ProviderSettings) -> CredentialBoard
    ) throws(TLSContext.Unusable) {
        self.settings = settings
        self.spans = spans
        let hostNames = settings.listeners.compactMap { listener -> String? in
            if case .tcp(let host, _) = listener { host } else { nil }
        }
        admission = Admission(settings, hostNames: hostNames)
        var contexts: [TLSSettings: TLSContext] = [:]
        var services: [Service] = []
        services.reserveCapacity(settings.providers.count)
        for provider in settings.providers {
            var context: TLSContext?
            if provider.upstream.scheme == .https {
                // Contexts are shared between providers: a trust store weighs more than all the rest of a provider.
                var trust = provider.tls
                trust.serverName = nil
                if let made = contexts[trust] {
                    context = made
                } else {
                    context = try TLSContext(trust)
                    contexts[trust] = context
                }
            }
            services.append(
                Service(provider, pseudonym: pseudonym, tls: context, board: board(provider)))
        }
        self.services = services
        headTimeout = TimeSpan(settings.timeouts.head)
        bodyTimeout = TimeSpan(settings.timeouts.body)
        idleTimeout = TimeSpan(settings.timeouts.idle)
    }
}
