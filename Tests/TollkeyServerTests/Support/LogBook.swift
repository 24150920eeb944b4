import Logging
import Synchronization

/// Keeps what is logged, at every level, for a test to read.
struct LogBook: LogHandler {
    private final class Pages: Sendable { let lines = Mutex<[String]>([]) }
    private let pages = Pages()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let line =
            "\(event.level) \(event.message) \(all.map { "\($0.key)=\($0.value)" }.joined(separator: " "))"
        pages.lines.withLock { $0.append(line) }
    }

    var lines: [String] { pages.lines.withLock { $0 } }
}
