import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// How the proxy stands, asked of every event loop.
extension Server {
    /// How long an event loop may take to answer: a turn takes microseconds, so one that does not has stopped.
    static let loopPatience: Duration = .seconds(2)
    /// How long the ledger may take to say how limits stand; without it they are told as last known.
    private static let ledgerPatience: Duration = .milliseconds(500)
    /// Categories whose limits the ledger is asked about, each time.
    private static let inquiriesMax = 1_000

    /// Event loops that do not answer, by number.
    package func silentLoops() -> [Int] { gather().silent }

    /// Event loops and credentials are asked; the ledger only where limits are wanted, as asking it writes.
    package func status(asksLedger: Bool = true) -> ServerStatus {
        let (table, clerk, process, isDraining) = state.withLock {
            ($0.table, $0.clerk, $0.process, $0.isDraining)
        }
        let boards = table?.services.map(\.board) ?? []
        if asksLedger, let clerk {
            let now = clock.monotonic()
            for gate in boards.flatMap({ $0.quotas?.gates ?? [] }).prefix(Self.inquiriesMax) {
                gate.inquire(at: now)
            }
            clerk.waitForTurn(timeout: Self.ledgerPatience)
        }
        let (report, silent) = gather()
        var status = ServerStatus(now: clock.now, version: Version.text)
        status.isDraining = isDraining
        status.process = process
        status.silentLoops = silent
        status.workers = report
        status.log = logControl.settings
        status.linesDropped = sink?.dropped ?? 0
        status.spansDropped = state.withLock { state in
            state.exporters.reduce(state.spansDropped) { $0 &+ UInt64($1.dropped) }
        }
        status.ledger = clerk?.standing
        if let settings = table?.settings {
            status.isShared = settings.shared != nil
            let hasState = state.withLock { $0.store != nil || $0.audit != nil }
            status.stateDirectory = hasState ? Self.directory(settings) : nil
            status.listeners = settings.listeners.map(\.text)
        }
        status.providers = boards.map { provider($0, report, at: status.now) }
        return status
    }

    private func provider(
        _ board: CredentialBoard, _ report: WorkerReport, at now: Moment
    ) -> ServerStatus.Provider {
        let current = board.current
        let isOver = current.standing == .usable && current.snapshot.expires.isReached(at: now)
        var standing = isOver ? CredentialStanding.coming : current.standing
        if case .missing(let failure) = standing, let retry = current.retry {
            standing = .missing(failure.retried(at: retry, now: now))
        }
        return ServerStatus.Provider(
            settings: board.provider, standing: standing,
            credentials: board.credentialReports,
            categories: (board.quotas?.gates ?? []).map {
                ($0.settings, $0.figures(at: MonotonicTime(nanoseconds: now.monotonic)))
            }, calls: report.calls[board.provider.name] ?? CallFigures())
    }

    /// What the event loops say, and which of them say nothing.
    private func gather() -> (report: WorkerReport, silent: [Int]) {
        reporting.withLock { _ in ask(state.withLock { $0.mailboxes }) }
    }

    private func ask(_ mailboxes: [Mailbox]) -> (report: WorkerReport, silent: [Int]) {
        let reports = Reports()
        let end = MonotonicTime.system() + TimeSpan(Self.loopPatience)
        for (index, mailbox) in mailboxes.enumerated() {
            mailbox.post { [reported] worker in
                let report = worker.report()
                reports.all.withLock { $0[index] = report }
                reported.open()
            }
        }
        // It may have been opened for somebody before: what has come is what counts.
        while reports.all.withLock({ $0.count }) < mailboxes.count {
            let left = end.since(MonotonicTime.system())
            guard left.nanoseconds > 0, reported.wait(for: 1, timeout: .nanoseconds(left.nanoseconds)) else {
                break
            }
        }
        let all = reports.all.withLock { $0 }
        var sum = WorkerReport()
        for report in all.values { sum.add(report) }
        return (sum, mailboxes.indices.filter { all[$0] == nil })
    }

    private final class Reports: Sendable { let all = Mutex<[Int: WorkerReport]>([:]) }
}

extension ListenAddress {
    /// As the configuration says it.
    package var text: String {
        switch self {
        case .tcp(let host, let port):
            host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Which Tollkey this is.
package enum Version {
    package static let text = "0.1.0"
}
