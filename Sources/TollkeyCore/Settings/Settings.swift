/// Everything `proxy.yaml` says, checked, with its defaults filled in and its secrets resolved.
///
/// Defaults stand here and nowhere else.
package struct Settings: Sendable, Equatable {
    /// Where clients connect. Never empty once checked.
    package var listeners: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 8080)]
    /// Names that clients may put into `Host`, besides loopback's and the listeners' own. Lower case, no port.
    package var hosts: [String] = []
    /// Origins (`https://shop.example`) whose pages may call through a browser. Lower case.
    package var origins: [String] = []
    /// Event loops, each on a thread of its own.
    package var threads: Int = 1
    package var limits = ClientLimits()
    package var timeouts = ClientTimeouts()
    package var admin = AdminSettings()
    package var log = LogSettings()
    /// nil: no spans are made.
    package var traces: TraceSettings?
    package var audit = AuditSettings()
    /// The folder for what must outlive the process; nil leaves the choice to the command.
    package var state: String?
    /// Seal what stands there. The first seals and opens, the others only open. None is a key made on first start.
    package var stateKeys: [Secret] = []
    /// nil: this process shares with nobody but those that have the same state.
    package var shared: SharedSettings?
    /// In the order of the file.
    package var providers: [ProviderSettings] = []

    package init() {}

    package var needsState: Bool { providers.contains(where: \.needsState) }
    package var hasLimits: Bool { providers.contains { !$0.categories.isEmpty } }
    package var mayUseState: Bool { providers.contains(where: \.mayUseState) }

    package static let threadsMax = 64
    package static let providersMax = 10_000
    package static let listenersMax = 16
}

/// A socket that clients connect to.
package enum ListenAddress: Sendable, Hashable {
    /// `host` is a literal IPv4 or IPv6 address without brackets, or `localhost`. Port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// An absolute path.
    case unix(path: String)
}

package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    case debug, info, warning, error

    package static func < (a: LogLevel, b: LogLevel) -> Bool {
        (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
}

/// Bounds on what a client may send. Sizes in bytes.
package struct ClientLimits: Sendable, Equatable {
    /// Open client connections in each event loop; further ones wait in the system's queue.
    package var connections = 16_384
    /// A request head in all: request line, fields and the empty line. Answered with 431 beyond it.
    package var head = 32 << 10
    /// The request target. Answered with 414 beyond it.
    package var target = 8 << 10
    /// Fields in one head. Answered with 431 beyond it.
    package var headers = 100

    package init() {}

    package static let headRange = 1 << 10...1 << 20
    package static let headersMax = 1_000
}

/// How long a client may take.
package struct ClientTimeouts: Sendable, Equatable {
    /// From a request's first byte (or the connection's opening) to the end of its head.
    package var head: Duration = .seconds(30)
    /// Between two reads of a body, or two writes of an answer.
    package var body: Duration = .seconds(60)
    /// An open connection between two requests.
    package var idle: Duration = .seconds(75)
    /// After SIGTERM, for requests that are running.
    package var drain: Duration = .seconds(30)

    package init() {}
}
