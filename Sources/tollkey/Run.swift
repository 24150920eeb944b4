import ArgumentParser
import CLinux
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
        // Secrets in memory are nobody else's: no core dump, no other process's eyes.
        tollkey_forbid_dumps()
        Self.raiseDescriptorLimit()
        let signals = Signals()
        var settings = try file.settings()
        let logger = JSONLines.logger(settings.log.level)
        let server: Server
        do {
            server = try Server(logger: logger)
            try server.start(settings, inherited: Systemd.takeSockets())
        } catch {
            logger.critical("cannot start", metadata: ["reason": "\(error)"])
            throw ExitCode.failure
        }
        logger.info("ready", metadata: Self.summary(settings))
        server.audit?.record(
            AuditEvent(
                .start,
                words:
                    "version \(Tollkey.version), process \(getpid()), \(settings.providers.count) providers"))
        Systemd.notify("READY=1")
        while signals.next() == .reload { reload(server, &settings, logger) }
        logger.info(
            "draining", metadata: ["seconds_at_most": "\(settings.timeouts.drain.components.seconds)"])
        server.audit?.record(AuditEvent(.stop, by: .signal))
        Systemd.notify("STOPPING=1")
        signals.endAtOnce()
        server.drain(timeout: settings.timeouts.drain)
        logger.info("stopped")
    }

    /// A connection is a descriptor: all that the system allows us, not what it gives to programs that ask for nothing.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private func reload(
        _ server: Server, _ settings: inout Settings, _ logger: Logger, by actor: AuditActor = .signal
    ) {
        Systemd.notify("RELOADING=1\nMONOTONIC_USEC=\(Systemd.monotonicMicroseconds())")
        defer { Systemd.notify("READY=1") }
        switch file.read() {
        case .failure(let problems):
            logger.error("not reloaded", metadata: ["problems": "\(problems)"])
            server.audit?.record(AuditEvent(.reload, .refused, by: actor, words: "\(problems)"))
        case .success(let read):
            do {
                try server.reload(read)
                if read.threads != settings.threads {
                    logger.warning("'threads' stays as it is until the next start")
                }
                settings = read
                JSONLines.level = JSONLines.level(read.log.level)
                logger.info("reloaded", metadata: Self.summary(read))
                server.audit?.record(
                    AuditEvent(.reload, by: actor, words: "\(read.providers.count) providers"))
            } catch {
                logger.error("not reloaded", metadata: ["problems": "\(error)"])
                server.audit?.record(AuditEvent(.reload, .refused, by: actor, words: "\(error)"))
            }
        }
    }

    private static func summary(_ settings: Settings) -> Logger.Metadata {
        let listeners = settings.listeners.map { listener in
            switch listener {
            case .tcp(let host, let port):
                host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): "unix:\(path)"
            }
        }
        return [
            "listen": "\(listeners.joined(separator: " "))", "providers": "\(settings.providers.count)",
            "threads": "\(settings.threads)", "version": "\(Tollkey.version)",
        ]
    }
}
