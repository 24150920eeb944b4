import Glibc
import Synchronization
package import TollkeyCore

/// What was done with credentials, by whom and when: a chain of entries in the state's database.
///
/// May be called from any thread. Once started, `record` waits for nobody: a thread of its own writes. Before that, as
/// in a command, it returns when the entry is on the disk. Nothing that goes wrong here stops anything: it is told to
/// `complain`, and by an entry when the trail can be written again.
package final class AuditTrail: Sendable {
    private struct Queue {
        var entries: [AuditEntry] = []
        /// Those that did not fit, since the last that could be written.
        var lost = 0
        var isStarted = false
        var isFailing = false
        var retry = Deadline(wall: .min, monotonic: .min)
    }
    private let queue = Mutex(Queue())
    private let writer: Mutex<AuditWriter>
    private let thread: TurnThread
    private let clock: Clock
    private let complain: @Sendable (String) -> Void

    /// Entries that wait for the disk, at most.
    package static let waitingMax = 1_024
    private static let retryInterval: Duration = .seconds(10)
    /// Written at once, at most.
    private static let batchMax = 128

    package init(
        in store: StateStore, _ settings: AuditSettings = AuditSettings(), clock: Clock = .system,
        complain: @escaping @Sendable (String) -> Void
    ) throws(StateFailure) {
        let (tables, chain) = try store.openTrail()
        writer = Mutex(AuditWriter(tables, chain, AuditBounds(keep: settings.keep)))
        do throws(SystemError) { thread = try TurnThread("audit") } catch {
            throw StateFailure(.system, error.description)
        }
        self.clock = clock
        self.complain = complain
    }

    /// From here on `record` does not wait. Looks at the whole trail first, and says by `told` what it has found.
    package func start(_ told: @escaping @Sendable (AuditReport) -> Void) {
        queue.withLock { $0.isStarted = true }
        thread.post { [self] in
            do throws(StateFailure) { told(try report()) } catch { complain(error.description) }
        }
        let isRunning = thread.start(watching: -1) { [self] _ in
            write()
            return Self.retryInterval
        }
        if !isRunning { queue.withLock { $0.isStarted = false } }
    }

    package func adopt(_ settings: AuditSettings) {
        writer.withLock { $0.bounds.keep = settings.keep }
    }

    /// Other bounds than the configuration can say.
    package func bound(_ bounds: AuditBounds) { writer.withLock { $0.bounds = bounds } }

    // MARK: Writing

    package func record(_ event: AuditEvent) {
        let entry = AuditEntry(time: clock.wall(), event: event)
        let isStarted = queue.withLock { queue in
            if queue.entries.count < Self.waitingMax { queue.entries.append(entry) } else { queue.lost += 1 }
            return queue.isStarted
        }
        if isStarted { thread.wake() } else { write() }
    }

    /// Has the clocks looked at; for clocks that are moved by hand.
    package func wake() { thread.wake() }

    /// Returns when all that waits is written, or cannot be.
    package func flush() { write(isLast: true) }

    /// Writes what waits, and no more after that.
    package func close() {
        let wasStarted = queue.withLock { queue in
            defer { queue.isStarted = false }
            return queue.isStarted
        }
        if wasStarted { thread.close() }
        write(isLast: true)
    }

    /// Everything that waits, in the order in which it came. One thread at a time: the writer's lock is held from taking
    /// to putting back.
    private func write(isLast: Bool = false) {
        writer.withLock { writer in
            while true {
                let now = clock.now
                var (batch, lost) = queue.withLock { queue in
                    guard isLast || !queue.isStarted || queue.retry.isReached(at: now) else {
                        return ([AuditEntry](), 0)
                    }
                    let batch = Array(queue.entries.prefix(Self.batchMax))
                    return (batch, batch.isEmpty ? 0 : queue.lost)
                }
                guard !batch.isEmpty else { return }
                if lost > 0 {
                    let event = AuditEvent(.lost, .unknown, words: "\(lost) entries could not be kept")
                    batch.append(AuditEntry(time: now.wall, event: event))
                }
                do throws(StateFailure) {
                    let found = try writer.append(batch, at: now.wall)
                    settle(batch.count - (lost > 0 ? 1 : 0), lost)
                    for words in found { complain("the audit trail was altered: \(words)") }
                } catch {
                    if fail(error.description, now) { return }
                }
            }
        }
    }

    /// They are on the disk.
    private func settle(_ written: Int, _ lost: Int) {
        let wasFailing = queue.withLock { queue in
            queue.entries.removeFirst(written)
            queue.lost -= lost
            queue.retry = Deadline(wall: .min, monotonic: .min)
            defer { queue.isFailing = false }
            return queue.isFailing
        }
        if lost > 0 { complain("\(lost) entries of the audit trail could not be kept") }
        if wasFailing { complain("the audit trail is written again") }
    }

    /// They wait for the next try. Told once, until it works again.
    private func fail(_ words: String, _ now: Moment) -> Bool {
        let isNew = queue.withLock { queue in
            queue.retry = now + Self.retryInterval
            defer { queue.isFailing = true }
            return !queue.isFailing
        }
        if isNew { complain("the audit trail cannot be written, and nothing waits for it: \(words)") }
        return true
    }

    /// The last entry that this process has written; nil before the first.
    package var last: AuditLink? { writer.withLock { $0.seen } }

    // MARK: Reading

    /// The whole trail is looked at; the last `limit` entries that are `wanted` are in the report.
    package func report(
        limit: Int = 0, known: (number: Int64, digits: String)? = nil,
        wanted: @Sendable (AuditEntry?) -> Bool = { _ in true }
    ) throws(StateFailure) -> AuditReport {
        try writer.withLock { writer throws(StateFailure) in
            try AuditReport.read(writer.tables, writer.chain, limit: limit, known: known, wanted: wanted)
        }
    }
}
