import TollkeyCore

/// What is kept of an exchange for its record.
struct CallNotes {
    var id = RequestID(origin: 0, number: 0)
    /// `never` while there is no exchange.
    var began = MonotonicTime.never
    var sent = MonotonicTime.never
    var answered = MonotonicTime.never
    /// Since when it stands in line for a permit.
    var inLine = MonotonicTime.never
    var waitSpan: TimeSpan?
    var bytesOut = 0
    /// The provider's head has been relayed.
    var isAnswered = false
    /// Why the answer is about to be cut short.
    var failure: Failure?
    var tally: CallTally?
    var category: CallTally.Category?
    var categoryName: [UInt8]?
    /// The head could be read.
    var hasHead = false
    /// The client's place in a trace, and the exchange's own where spans are made.
    var clientTrace: TraceContext?
    var trace: TraceContext?
    /// What the head that is being sent says.
    var attemptTrace: TraceContext?
    var attempts: [CallSpan.Attempt] = []
}

/// The end of an exchange, as it is counted and logged.
extension ExchangeDriver {
    func beginNotes(for client: ClientConnection, hasHead: Bool) {
        notes.id = client.worker.nextRequestID()
        notes.began = loop.now
        notes.hasHead = hasHead
        notes.tally = client.worker.nowhere
        guard hasHead else { return }
        notes.clientTrace = input.read { TraceContext.read(head.fields, $0) }
        notes.trace = client.worker.beginSpan(notes.clientTrace)
    }

    /// Who is sent the head that is about to be written sees an attempt of its own.
    func nextAttempt() -> TraceContext? {
        notes.attemptTrace = notes.trace.flatMap { client?.worker.childSpan(of: $0) }
        return notes.attemptTrace
    }

    func noteSent() {
        notes.sent = loop.now
        notes.answered = .never
        guard let trace = notes.attemptTrace, notes.attempts.count < CallSpan.attemptsMax else { return }
        notes.attempts.append(CallSpan.Attempt(span: trace.span, start: loop.now, end: loop.now))
    }

    func noteAttemptOver(_ failure: FailureKind?, status: Int? = nil) {
        guard let last = notes.attempts.indices.last else { return }
        notes.attempts[last].end = loop.now
        notes.attempts[last].failure = failure
        notes.attempts[last].status = status
    }

    func noteEnd(_ source: CallRecord.Source, _ status: Int, _ failure: Failure?, isCut: Bool = false) {
        guard notes.began != .never, let client else { return }
        var record = CallRecord()
        record.source = source
        record.status = status
        record.failure = failure
        record.isCut = isCut
        record.span = loop.now.since(notes.began)
        if notes.answered != .never { record.upstreamSpan = notes.answered.since(notes.sent) }
        record.waitSpan = notes.waitSpan
        record.attempts = exchange.attempts
        record.generation = exchange.attempts > 0 ? generation : 0
        record.bytesIn = contentBytes
        record.bytesOut = notes.bytesOut
        if notes.isAnswered {
            if let id = search.found, upstream?.credentials.snapshot.holds(id) == false {
                record.requestID = id
            }
            search.end()
        }
        let worker = client.worker
        if let tally = notes.tally { worker.count(record, tally, notes.category) }
        worker.log(record, at: loop.moment.wall, self)
        if notes.trace != nil { exportSpan(record) }
        notes.began = .never
    }

    /// Both sides are cut: whatever the client has, it is not a whole answer.
    func noteCut() {
        if notes.isAnswered {
            noteEnd(.provider, answer.status, notes.failure, isCut: true)
        } else {
            noteEnd(.client, CallRecord.clientGone, notes.failure)
        }
    }

    /// What only the exchange knows of its line in the log.
    func fill(_ line: borrowing CallLine) {
        line.requestID(notes.id)
        if let name = service?.nameInUTF8 { line.text("provider", name.span) }
        if let name = notes.categoryName { line.text("category", name.span) }
        if let trace = notes.trace ?? notes.clientTrace {
            line.text("trace_id", trace.traceText)
            line.text("span_id", trace.spanText)
        }
        if let peer = client?.peer { line.number("peer_uid", Int(peer.uid)) }
        guard notes.hasHead else { return }
        input.read { bytes in
            line.text("method", bytes.extracting(head.method))
            let path = bytes.extracting(head.target.path)
            let start = min(prefixLength, path.count)
            let end = min(path.count, start + CallLine.pathBytesMax)
            line.text("path", path.extracting(start..<end))
        }
    }

    private func exportSpan(_ record: CallRecord) {
        guard let trace = notes.trace, let exporter = client?.worker.table.spans else { return }
        noteAttemptOver(record.failure?.kind, status: notes.answered == .never ? nil : answer.status)
        var span = input.read { bytes in
            CallSpan(
                trace, parent: notes.clientTrace?.span ?? 0, place: service?.place ?? .nowhere,
                method: bytes.extracting(head.method), path: bytes.extracting(head.target.path),
                start: notes.began, end: loop.now)
        }
        if let name = notes.categoryName { span.category = String(decoding: name, as: UTF8.self) }
        span.status = record.status
        span.source = record.source
        span.failure = record.failure?.kind
        span.requestID = record.requestID
        span.attempts = notes.attempts
        exporter.export(span)
    }

    func enterLine() { if notes.inLine == .never { notes.inLine = loop.now } }

    func noteLeftLine() {
        guard notes.inLine != .never else { return }
        let span = loop.now.since(notes.inLine)
        notes.inLine = .never
        notes.waitSpan = TimeSpan(nanoseconds: (notes.waitSpan?.nanoseconds ?? 0) &+ span.nanoseconds)
        notes.category?.figures.waited(span)
    }
}
