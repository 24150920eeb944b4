import Logging
import Synchronization
import TollkeyCore
import TollkeyServer

/// Reads the configuration again: for a signal, and for an operator. One at a time.
final class Reloader: Sendable {
    private let file: ConfigurationFile
    private let server: Server
    private let logger: Logger
    private let settings: Mutex<Settings>

    init(_ file: ConfigurationFile, _ server: Server, _ settings: Settings, _ logger: Logger) {
        self.file = file
        self.server = server
        self.logger = logger
        self.settings = Mutex(settings)
    }

    /// All of it or, when something is wrong with it, none: then it is told what.
    func reload(by actor: AuditActor) -> String? {
        settings.withLock { settings in
            Systemd.notify("RELOADING=1\nMONOTONIC_USEC=\(Systemd.monotonicMicroseconds())")
            defer { Systemd.notify("READY=1") }
            let problems = perform(&settings)
            server.noteReload(problems, by: actor)
            if let problems {
                logger.error("not reloaded", metadata: ["problems": "\(problems)", "actor": "\(actor.text)"])
            } else {
                var metadata = Run.summary(settings)
                metadata["actor"] = "\(actor.text)"
                logger.info("reloaded", metadata: metadata)
            }
            return problems
        }
    }

    private func perform(_ settings: inout Settings) -> String? {
        switch file.read() {
        case .failure(let problems): return "\(problems)"
        case .success(let read):
            do { try server.reload(read) } catch { return "\(error)" }
            if read.threads != settings.threads {
                logger.warning("'threads' stays as it is until the next start")
            }
            settings = read
            server.logControl.settings = read.log
            return nil
        }
    }
}
