import Glibc
import Logging
import TollkeyCore

/// The trail of a running daemon, and what its log says of it.
extension AuditTrail {
    /// Started. nil where nothing is kept, and when it cannot be used: then the log says so, loudly.
    static func begun(
        _ settings: Settings, beside store: (any RecordStore)?, clock: Clock, logger: Logger
    ) -> AuditTrail? {
        guard store != nil || settings.keepsTrail else { return nil }
        do throws(StateFailure) {
            let directory = settings.state ?? Server.defaultState
            let own = store == nil ? try StateStore(directory: directory, keys: settings.stateKeys) : nil
            guard let local = store?.local ?? own else { return nil }
            let trail = try AuditTrail(in: local, settings.audit, clock: clock) {
                logger.error("audit trail", metadata: ["reason": "\($0)"])
            }
            trail.start { Self.tell($0, logger) }
            return trail
        } catch {
            logger.error("no audit trail is kept", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// The last entry goes into the log too: an earlier copy of the state can be told by it.
    func end(_ logger: Logger) {
        close()
        guard let last else { return }
        logger.info("audit trail ends", metadata: ["last": "\(last.words)"])
    }

    private static func tell(_ report: AuditReport, _ logger: Logger) {
        if let first = report.breaks.first {
            logger.error(
                "audit trail was altered",
                metadata: [
                    "entry": "\(first.number)", "reason": "\(first.words)", "breaks": "\(report.breakCount)",
                ])
        } else {
            logger.info(
                "audit trail is intact",
                metadata: ["entries": "\(report.count)", "last": "\(report.last.words)"])
        }
    }
}

extension Settings {
    /// Whether a trail is kept also where no provider needs a state: when one was named, or is there.
    var keepsTrail: Bool {
        guard let state else { return false }
        return state != Server.defaultState || access(state, F_OK) == 0
    }
}
