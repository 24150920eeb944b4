/// What an operator sees and may do: the admin listener.
package struct AdminSettings: Sendable, Equatable {
    /// None: there is no admin listener.
    package var listeners: [ListenAddress] = []
    /// By name: who has one changes things over any listener.
    package var tokens: [String: Secret] = [:]
    /// Who may change things over a unix socket, besides root and the proxy's own user.
    package var peers = PeerRule()

    package init() {}

    package static let listenersMax = 4
    package static let tokensMax = 16
}

package struct LogSettings: Sendable, Equatable {
    package var level: LogLevel = .info
    /// One line per request.
    package var access = true
    /// The share, from 0 to 1, of requests that went well that get one; those that failed always do.
    package var sample = 1.0

    package init() {}
}

/// Where spans go, over OTLP/HTTP with JSON.
package struct TraceSettings: Sendable, Equatable {
    /// The whole URL, path included.
    package var endpoint: UpstreamURL
    /// Header fields for each export.
    package var headers: [String: Secret] = [:]
    /// The share, from 0 to 1, of requests without a `traceparent` that are traced; with one, its flag decides.
    package var sample = 1.0

    package init(endpoint: UpstreamURL) { self.endpoint = endpoint }

    package static let headersMax = 16
}

package struct AuditSettings: Sendable, Equatable {
    /// How long an entry stays.
    package var keep: Duration = .seconds(365 * 86_400)

    package init() {}
}
