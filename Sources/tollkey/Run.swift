import ArgumentParser
import Glibc
import Logging
import TollkeyCore
import TollkeyServer

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the proxy in the foreground.",
        discussion: """
            SIGTERM and SIGINT drain: new connections are refused and running requests finish; a second one ends at \
            once. SIGHUP reloads the configuration: all of it or, when it has a problem, none of it.
            """)

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        Operating.keepMemoryPrivate()
        Self.raiseDescriptorLimit()
        let signals = Signals()
        let settings = try file.settings()
        let logControl = LogControl(settings.log)
        let sink = try Self.logSink()
        // Whatever ends the process from here on: what was logged is written.
        defer { sink.close() }
        let logger = JSONLines.logger(sink, logControl)
        let server: Server
        do {
            server = try Server(logger: logger, sink: sink, logControl: logControl)
            try server.start(settings, inherited: Systemd.takeSockets())
        } catch {
            logger.critical("cannot start", metadata: ["reason": "\(error)"])
            throw ExitCode.failure
        }
        let reloader = Reloader(file, server, settings, logger)
        server.onReload { actor in reloader.reload(by: actor) }
        logger.info("listening", metadata: Self.summary(settings))
        server.audit?.record(
            AuditEvent(
                .start,
                words:
                    "version \(Tollkey.version), process \(getpid()), \(settings.providers.count) providers"))
        Systemd.notify("READY=1")
        wait(signals, server, reloader, logger)
        logger.info(
            "draining", metadata: ["seconds_at_most": "\(settings.timeouts.drain.components.seconds)"])
        server.audit?.record(AuditEvent(.stop, by: .signal))
        Systemd.notify("STOPPING=1")
        signals.endAtOnce()
        server.drain(timeout: settings.timeouts.drain)
        logger.info("stopped")
        sink.close()
        // An operator's thread may be in the middle of something, and must not meet a process that is taken apart.
        _exit(0)
    }

    /// Until the end is wanted. Tells a watchdog that it lives for as long as every event loop does.
    private func wait(_ signals: Signals, _ server: Server, _ reloader: Reloader, _ logger: Logger) {
        while true {
            switch signals.next(within: Systemd.watchdogInterval) {
            case .stop: return
            case .reload: _ = reloader.reload(by: .signal)
            case nil:
                let silent = server.silentLoops()
                if silent.isEmpty {
                    Systemd.notify("WATCHDOG=1")
                } else {
                    logger.error("event loops do not answer", metadata: ["loops": "\(silent)"])
                }
            }
        }
    }

    private static func logSink() throws -> LogSink {
        do { return try LogSink() } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }

    /// A connection is a descriptor: all that the system allows us, not what it gives to programs that ask for nothing.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    static func summary(_ settings: Settings) -> Logger.Metadata {
        [
            "listen": "\(settings.listeners.map(\.text).joined(separator: " "))",
            "admin": "\(settings.admin.listeners.map(\.text).joined(separator: " "))",
            "providers": "\(settings.providers.count)",
            "threads": "\(settings.threads)", "version": "\(Tollkey.version)",
        ]
    }
}
