import Logging
import TollkeyCore

/// Logs the failures that are the provider's or ours; what clients do wrong is told to them.
///
/// A provider that is down fails every call: of each second only the first few are written.
struct FailureLog {
    private let logger: Logger
    private var second: Int64 = 0
    private var written = 0
    private var suppressed = 0

    static let linesPerSecond = 10

    init(_ logger: Logger) { self.logger = logger }

    mutating func note(
        _ failure: Failure, provider: String?, requestID: String, at now: MonotonicTime
    ) {
        guard failure.kind.row.side != .client else { return }
        let second = now.nanoseconds / 1_000_000_000
        if second != self.second {
            if suppressed > 0 { logger.warning("failures not logged", metadata: ["count": "\(suppressed)"]) }
            self.second = second
            written = 0
            suppressed = 0
        }
        guard written < Self.linesPerSecond else {
            suppressed += 1
            return
        }
        written += 1
        logger.warning(
            "call failed",
            metadata: [
                "kind": "\(failure.kind.rawValue)", "provider": "\(provider ?? "")",
                "request_id": "\(requestID)", "detail": "\(failure.detail)",
            ])
    }
}
