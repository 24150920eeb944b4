/// One provider: where it is, what is added to a call, what may be called, and every bound towards it.
package struct ProviderSettings: Sendable, Equatable {
    /// The key in the file, `[A-Za-z0-9_-]{1,64}`. A label in logs and problems.
    package var name: String
    /// The path prefix that leads here, `/name` unless said otherwise; whole segments, no `/` at the end.
    package var route: String
    package var upstream: UpstreamURL
    /// Where to connect instead of resolving the upstream's name: literal addresses, tried in this order.
    package var addresses: [UpstreamAddress] = []
    package var tls = TLSSettings()
    /// Header fields set on each call; what the client sent under these names is removed first.
    package var inject: [InjectedHeader] = []
    /// Header fields set only when the client sent none of that name.
    package var defaults: [InjectedHeader] = []
    /// Query parameters set on each call; what the client sent under these names is removed first.
    package var injectQuery: [NamedTemplate] = []
    /// What the user gave, by name.
    package var secrets: [String: Secret] = [:]
    /// Those of `secrets` that stand in files: absolute paths, read again when they change.
    package var secretFiles: [String: String] = [:]
    /// Those of `secrets` that only ever are keys of signatures: a PEM file may have line ends. See `Secret.fault`.
    package var keySecrets: Set<String> = []
    /// What is computed from them.
    package var values: [ValueSettings] = []
    /// What is obtained with them.
    package var credentials: [CredentialSettings] = []
    /// How long a call may wait for a credential that is being obtained.
    package var credentialWait: Duration = .seconds(10)
    /// Besides 401 (RFC 9110 §15.5.2), what means that the credential was refused.
    package var refusals: [RefusalRule] = []
    package var probe: ProbeSettings?
    package var rotation: RotationSettings?
    package var otp: OTPSettings?
    /// What the token may do; nil is not known, and nothing is refused for it.
    package var scopes: [ScopeSettings]?
    /// Names, in lower case, of headers that are usually removed and may come through here.
    package var pass: [String] = []
    /// What may be called; nil is everything.
    package var allow: [CallPattern]?
    /// Which calls share which limits; a call in none of them is unlimited.
    package var categories: [CategorySettings] = []
    /// Who may call, by the kernel's word on a unix socket; nil is everyone.
    package var peers: PeerRule?
    /// Where an answer may have the provider's own number for the request: the first that is there is logged.
    package var requestID: [AnswerPlace] = [.header("x-request-id")]
    package var timeouts = UpstreamTimeouts()
    package var pool = PoolSettings()
    package var body = BodySettings()

    package init(name: String, upstream: UpstreamURL) {
        self.name = name
        self.route = "/" + name
        self.upstream = upstream
    }

    /// Whether what is injected can change while the proxy runs.
    package var canRenew: Bool { !credentials.isEmpty || !secretFiles.isEmpty || rotation != nil }

    /// Whether nothing differs but secrets in files, which are looked at apart from the settings.
    package func isSame(as other: ProviderSettings) -> Bool {
        var other = other
        for name in secretFiles.keys { other.secrets[name] = secrets[name] }
        return self == other
    }

    /// Whether something secret of it must outlive the process.
    package var needsState: Bool { !credentials.isEmpty }

    /// Whether a command may leave something for the process in the state.
    package var mayUseState: Bool { needsState || rotation != nil || otp != nil }
}

/// A provider's base URL, taken apart.
package struct UpstreamURL: Sendable, Hashable {
    package enum Scheme: String, Sendable { case http, https }
    package var scheme: Scheme
    /// A name in lower case or a literal address without brackets.
    package var host: String
    package var port: Int
    /// Joined in front of each path: empty, or `/…` without a `/` at its end.
    package var basePath: String

    package init(scheme: Scheme, host: String, port: Int, basePath: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.basePath = basePath
    }

    package var defaultPort: Int { scheme == .https ? 443 : 80 }

    /// `host`, in brackets when it is IPv6, with the port unless it is the scheme's own (RFC 9110 §4.2).
    package var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == defaultPort ? name : "\(name):\(port)"
    }
}

/// A literal IP address (IPv6 without brackets) and a port.
package struct UpstreamAddress: Sendable, Hashable {
    package var host: String
    package var port: Int
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// How the upstream proves itself, and we to it. Paths of PEM files.
package struct TLSSettings: Sendable, Hashable {
    package enum Version: String, Sendable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }
    /// Trusted instead of the system's store.
    package var ca: String?
    /// Our certificate chain; with `key`.
    package var certificate: String?
    package var key: String?
    package var leastVersion: Version = .tls12
    /// The name to ask for and to verify, when it is not the upstream's host.
    package var serverName: String?
    package init() {}
}

/// A header field whose value is made from a template.
package struct InjectedHeader: Sendable, Equatable {
    /// As it is to be written.
    package var name: String
    package var value: Template
    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}

/// Who may call over a unix socket. A caller passes when its uid or one of the gids is listed.
package struct PeerRule: Sendable, Equatable {
    package var uids: [UInt32] = []
    package var gids: [UInt32] = []
    package init() {}
}

package struct UpstreamTimeouts: Sendable, Equatable {
    /// TCP, over all addresses together.
    package var connect: Duration = .seconds(5)
    package var tls: Duration = .seconds(10)
    /// From the request's end to the answer's head.
    package var head: Duration = .seconds(60)
    /// Between two reads of an answer's body, or two writes of the request's.
    package var idle: Duration = .seconds(60)
    /// The whole exchange; nil is unbounded.
    package var whole: Duration?
    package init() {}
}

/// Bounds on the connections to one provider, in each event loop.
package struct PoolSettings: Sendable, Equatable {
    /// Open connections, busy and idle.
    package var connections = 1_024
    /// Idle connections kept for the next call.
    package var idle = 512
    package var idleTimeout: Duration = .seconds(30)
    /// Calls that may wait for a connection when all are busy.
    package var waiting = 16_384
    /// How long such a call waits.
    package var wait: Duration = .seconds(5)
    package init() {}
}

/// Sizes in bytes.
package struct BodySettings: Sendable, Equatable {
    /// A request's content. Answered with 413 beyond it.
    package var max: Int = 4 << 30
    /// How much of a request's content is held so that it can be sent once more.
    package var replay: Int = 64 << 10
    package init() {}
}
