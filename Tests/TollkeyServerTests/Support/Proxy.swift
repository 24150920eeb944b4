import Logging
import Testing
import TollkeyCore
import TollkeyServer

/// A whole proxy in this process, on a clock that stands still. Whoever makes one stops it.
final class Proxy: Sendable {
    let server: Server
    let clock: ManualClock

    init(
        _ settings: Settings, inherited: [Int32] = [], clock: ManualClock = ManualClock(),
        log: LogBook? = nil,
        lines: LogFile? = nil
    )
        throws
    {
        self.clock = clock
        var logger = Logger(label: "test") { _ -> any LogHandler in
            if let log { log } else { SwiftLogNoOpLogHandler() }
        }
        logger.logLevel = log == nil ? Logger.Level.critical : Logger.Level.trace
        server = try Server(
            logger: logger, clock: clock.clock, sink: lines?.sink,
            logControl: lines?.control ?? LogControl(settings.log))
        try server.start(settings, inherited: inherited)
    }

    convenience init(_ providers: ProviderSettings...) throws {
        try self.init(Settings(to: providers))
    }

    var port: Int { server.ports.first ?? 0 }

    /// Ends it without waiting for anybody.
    func stop() { server.drain(timeout: .zero) }

    func connect(receiveBytes: Int32? = nil) throws -> RawConnection {
        try .toPort(port, receiveBytes: receiveBytes)
    }

    /// A connection that has sent `text`.
    func connect(sending text: String) throws -> RawConnection {
        let client = try connect()
        try client.send(text)
        return client
    }

    /// The answer to `request`, which closes its connection.
    func answer(to request: String, toHead: Bool = false) throws -> Message {
        try connect(sending: request).answer(toHead: toHead)
    }

    /// Returns when the proxy has done all that could be done before this call: what came first is looked at first,
    /// the ledger has been asked, and two calls of its own have been answered since.
    func settle() throws {
        for _ in 0..<2 {
            server.waitForQuotas()
            let answer = try answer(
                to: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 404)
        }
    }

    /// What the admin listener answers.
    func admin(_ method: String, _ target: String, _ fields: [String] = []) throws -> Message {
        let connection = try RawConnection.toPort(server.adminPorts.first ?? 0)
        let head = ["\(method) \(target) HTTP/1.1", "Host: localhost", "Content-Length: 0"] + fields
        try connection.send(head.joined(separator: "\r\n") + "\r\n\r\n")
        return try connection.answer(toHead: method == "HEAD")
    }

    func status() throws -> JSONValue { try JSONValue(admin("GET", "/status").body) }

    /// What `/metrics` says of a metric with these labels, as they are written; nil when it says nothing.
    func metric(_ name: String) throws -> Double? {
        let lines = try admin("GET", "/metrics").text.split(separator: "\n")
        return lines.first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    /// Moves the clock, and has the event loops look at it.
    func advance(by duration: Duration) {
        clock.advance(by: duration)
        server.wake()
    }

    /// As `advance`, and returns once the token refresher has done what was due, and the ledger has been asked.
    func pass(_ duration: Duration) {
        clock.advance(by: duration)
        server.waitForCredentials()
        server.waitForQuotas()
        server.wake()
    }
}

extension Settings {
    init(to providers: [ProviderSettings]) {
        self.init()
        listeners = [.tcp(host: "127.0.0.1", port: 0)]
        self.providers = providers
    }

    /// With an admin listener, and a token for it: `a-token-for-operators`, of `ops`.
    var administered: Settings {
        with {
            $0.admin.listeners = [.tcp(host: "127.0.0.1", port: 0)]
            $0.admin.tokens = ["ops": Secret("a-token-for-operators")]
        }
    }

    /// These, changed.
    func with(_ change: (inout Settings) -> Void) -> Settings {
        var settings = self
        change(&settings)
        return settings
    }
}

extension ProviderSettings {
    /// Provider `acme` at a plain address, with a key of its own.
    static func plain(_ port: Int, host: String = "127.0.0.1", path: String = "") -> ProviderSettings {
        var provider = ProviderSettings(
            name: "acme", upstream: UpstreamURL(scheme: .http, host: host, port: port, basePath: path))
        provider.secrets = ["key": Secret("s3cr3t")]
        provider.inject = [InjectedHeader(name: "X-Key", value: [.secret("key")])]
        return provider
    }

    /// Provider `acme` over TLS at `localhost`, trusting the authority in the file `ca`.
    static func secure(_ port: Int, ca: String) -> ProviderSettings {
        var provider = plain(port)
        provider.upstream.scheme = .https
        provider.upstream.host = "localhost"
        provider.tls.ca = ca
        return provider
    }
}

/// A request without content on provider `acme`.
func get(_ path: String, _ fields: String = "") -> String {
    "GET /acme\(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n"
}

/// A request with content on provider `acme`.
func post(_ path: String, _ content: String, _ fields: String = "") -> String {
    "POST /acme\(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)Content-Length: \(content.utf8.count)\r\n\r\n"
        + content
}

/// An answer with a length.
func ok(_ content: String = "hello", _ fields: String = "") -> String {
    "HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
}
