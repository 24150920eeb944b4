import TollkeyCore

/// What one event loop counts, and tells of it.
extension Worker {
    func count(_ record: CallRecord, _ tally: CallTally, _ category: CallTally.Category?) {
        (category ?? tally.uncategorised).figures.count(record.status, record.source)
        tally.figures.requests.observe(record.span)
        if let span = record.upstreamSpan { tally.figures.upstream.observe(span) }
        tally.figures.minute.count(isFailed: record.isFailed, at: loop.now)
        if record.isFailed { tally.figures.failed &+= 1 }
        if let failure = record.failure { tally.figures.problems[failure.kind, default: 0] &+= 1 }
        noteHealth(record, tally)
    }

    /// A provider's 401 and 429 are worth telling as its 5xx are; its other 4xx are between it and the client.
    private func noteHealth(_ record: CallRecord, _ tally: CallTally) {
        let wall = loop.moment.wall
        if let failure = record.failure {
            let side = failure.side
            problems.note(
                failure.kind.rawValue, provider: tally.name, side: side, words: failure.detail, at: wall)
            if side == .upstream, failure.kind.isConnections {
                tally.figures.health.failed(failure.kind.rawValue, failure.detail, at: wall)
            }
        } else if record.source == .provider {
            let status = record.status
            if status >= 500 || status == 401 || status == 429 {
                problems.note(
                    "status-\(status)", provider: tally.name, side: .upstream,
                    words: "The provider answered \(status).", at: wall)
            }
            if status >= 500 {
                tally.figures.health.failed("status-\(status)", "The provider answered \(status).", at: wall)
            } else {
                tally.figures.health.succeeded(at: wall)
            }
        }
    }

    func beginSpan(_ client: TraceContext?) -> TraceContext? { traces?.begin(client) }

    func childSpan(of trace: TraceContext) -> TraceContext? { traces?.child(of: trace) }

    func log(_ record: CallRecord, at wall: Int64, _ exchange: ExchangeDriver) {
        callLog.write(record, wall: wall) { exchange.fill($0) }
    }

    /// For other threads.
    func report() -> WorkerReport {
        var report = WorkerReport()
        report.calls[""] = nowhere.report(nil)
        for (index, tally) in tallies.enumerated() {
            report.calls[tally.name] = tally.report(upstreams[index])
        }
        report.problems = problems
        for client in clients.values {
            if client.isActive { report.activeClients += 1 } else { report.idleClients += 1 }
        }
        report.acceptedClients = accepted
        report.waiting = standing.count
        return report
    }
}

extension FailureKind {
    /// The provider could not be reached, or did not answer as it should.
    fileprivate var isConnections: Bool {
        switch self {
        case .upstreamUnreachable, .upstreamTLS, .upstreamBroke, .upstreamTimeout: true
        default: false
        }
    }
}
