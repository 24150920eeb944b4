package import Logging
import Synchronization
package import TollkeyCore

/// Sends spans to a collector, over OTLP/HTTP with JSON, on a thread of its own.
///
/// Nothing waits for it: what does not fit is dropped and counted.
package final class SpanExporter: Sendable {
    private struct State {
        var queue: [CallSpan] = []
        var hasThread = false
        var isClosed = false
    }
    /// What the thread alone uses.
    private struct Work {
        /// Taken from the queue and not yet taken by the collector.
        var batch: [CallSpan] = []
        var pace: ExportPace
        var isFailing = false
    }
    private let state = Mutex(State())
    private let work: Mutex<Work>
    private let lost = Atomic<Int>(0)
    private let taken = Atomic<Int>(0)
    private let settings: TraceSettings
    private let json: SpanJSON
    private let calls: CallClient
    private let thread: TurnThread
    /// Opened when the last spans are sent, or given up.
    private let flushed: Gate
    private let clock: Clock
    private let logger: Logger

    /// Calls whose spans wait.
    package static let queueMax = 2_048
    /// Calls in one request to the collector.
    package static let batchMax = 512
    /// What one request may take.
    package static let exportTimeout: Duration = .seconds(10)
    /// What `close` may take for the last spans.
    package static let closeTimeout: Duration = .seconds(2)

    /// `instance` tells this process from others.
    package init(
        _ settings: TraceSettings, version: String, instance: String, clock: Clock = .system, logger: Logger
    ) throws(SystemError) {
        self.settings = settings
        json = SpanJSON(version: version, instance: instance)
        work = Mutex(Work(pace: ExportPace(at: clock.monotonic())))
        calls = try CallClient()
        thread = try TurnThread("spans")
        flushed = try Gate()
        self.clock = clock
        self.logger = logger
    }

    /// False when the system has no thread.
    package func start() -> Bool {
        let isStarted = thread.start(watching: -1) { [self] _ in turn() }
        state.withLock { $0.hasThread = isStarted }
        return isStarted
    }

    /// Takes a span from any thread, and waits for nothing.
    package func export(_ span: consuming CallSpan) {
        let count = state.withLock { [span] state -> Int? in
            guard !state.isClosed, state.queue.count < Self.queueMax else { return nil }
            state.queue.append(span)
            return state.queue.count
        }
        guard let count else { return note(lost: 1) }
        if count == Self.batchMax { thread.wake() }
    }

    /// Calls whose spans did not get to the collector.
    package var dropped: Int { lost.load(ordering: .relaxed) }

    /// Calls whose spans did.
    package var exported: Int { taken.load(ordering: .relaxed) }

    /// Looks at the clock; for one that is moved by hand.
    package func wake() { thread.wake() }

    /// Returns once what is under way is over.
    package func waitForTurn() {
        guard let done = try? Gate() else { return }
        thread.post { done.open() }
        _ = done.wait(for: 1, timeout: nil)
    }

    /// Sends what waits, if the collector takes it in time, and returns once the thread has ended.
    package func close() {
        let hasThread = state.withLock { state in
            defer { (state.isClosed, state.hasThread) = (true, false) }
            return state.hasThread
        }
        guard hasThread else { return }
        thread.wake()
        if !flushed.wait(for: 1, timeout: Self.closeTimeout) { calls.close() }
        thread.close()
        calls.close()
    }

    // MARK: The thread

    private func turn() -> Duration {
        work.withLock { work in
            while true {
                let (waiting, isClosed) = state.withLock { ($0.queue.count, $0.isClosed) }
                if isClosed {
                    finish(&work)
                    return .seconds(1)
                }
                let now = clock.monotonic()
                guard work.pace.isDue(isFull: waiting >= Self.batchMax, at: now) else {
                    return work.pace.wait(at: now)
                }
                send(&work, timeout: Self.exportTimeout)
            }
        }
    }

    /// The last spans: one try for each batch, and none behind one that is not taken.
    private func finish(_ work: inout Work) {
        let end = clock.monotonic() + TimeSpan(Self.closeTimeout)
        var isTaken = true
        while isTaken, takeBatch(&work) {
            let left = Duration.nanoseconds(end.since(clock.monotonic()).nanoseconds)
            isTaken = left > .zero && send(&work, timeout: left)
        }
        let unsent = state.withLock { state in
            defer { state.queue = [] }
            return state.queue.count
        }
        note(lost: unsent + work.batch.count)
        work.batch = []
        flushed.open()
    }

    /// False when there is none.
    private func takeBatch(_ work: inout Work) -> Bool {
        if work.batch.isEmpty {
            work.batch = state.withLock { state in
                let batch = Array(state.queue.prefix(Self.batchMax))
                state.queue.removeFirst(batch.count)
                return batch
            }
        }
        return !work.batch.isEmpty
    }

    /// Whether the collector has taken the batch.
    @discardableResult
    private func send(_ work: inout Work, timeout: Duration) -> Bool {
        guard takeBatch(&work) else {
            work.pace = ExportPace(at: clock.monotonic())
            return true
        }
        let asked = clock.now
        let result = calls.perform(call(work.batch, timeout))
        let answer = try? result.get()
        let verdict = work.pace.note(
            status: answer?.status, retryAfter: answer.flatMap { retryAfter($0, asked) },
            chance: .random(in: 0...1), at: clock.monotonic())
        say(result, verdict, &work)
        switch verdict {
        case .taken:
            // It rejects spans; how many calls they were of is not known, but not more than there are.
            let rejected = min(answer?.rejected ?? 0, work.batch.count)
            note(lost: rejected)
            taken.add(work.batch.count - rejected, ordering: .relaxed)
            work.batch = []
        case .lost:
            note(lost: work.batch.count)
            work.batch = []
        case .kept: break
        }
        return verdict == .taken
    }

    private func call(_ batch: [CallSpan], _ timeout: Duration) -> OutgoingCall {
        let path = settings.endpoint.basePath
        var call = OutgoingCall(
            method: "POST", url: settings.endpoint, target: Secret(path.isEmpty ? "/" : path))
        call.fields = settings.headers.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }
        call.fields.removeAll { $0.name.lowercased() == "content-type" }
        call.fields.append(.init(name: "Content-Type", value: Secret("application/json")))
        let origin = clock.wallNanoseconds() - clock.monotonic().nanoseconds
        call.content = Secret(json.request(batch, origin: origin))
        call.connectTimeout = min(call.connectTimeout, timeout)
        call.wholeTimeout = timeout
        call.answerBytesMax = Self.answerBytesMax
        return call
    }

    private static let answerBytesMax = 64 << 10

    private func retryAfter(_ answer: CallAnswer, _ asked: Moment) -> Duration? {
        let fields = answer.fields.map { field in
            AnswerField(field.name, field.value.reveal { String(decoding: $0, as: UTF8.self) })
        }
        return RetryAfter.read(
            TokenAnswer(status: answer.status, fields: fields, content: Secret("")), asked: asked)
    }

    private func note(lost count: Int) { lost.add(count, ordering: .relaxed) }

    /// Says it once when spans are not taken any more, and when they are again.
    private func say(
        _ result: Result<CallAnswer, CallFault>, _ verdict: ExportPace.Verdict, _ work: inout Work
    ) {
        let rejected = verdict == .taken ? (try? result.get())?.rejected ?? 0 : 0
        let isFailing = verdict != .taken || rejected > 0
        guard isFailing != work.isFailing else { return }
        work.isFailing = isFailing
        guard isFailing else { return logger.notice("the collector takes spans again") }
        let words =
            switch result {
            case .failure(let fault): fault.description
            case .success where rejected > 0: "it rejects \(rejected) of them"
            case .success(let answer): "it answers \(answer.status)"
            }
        logger.warning("the collector does not take spans", metadata: ["reason": "\(words)"])
    }
}

extension CallAnswer {
    /// Spans that were not taken, by a collector that says it took them.
    fileprivate var rejected: Int { content.reveal { ExportAnswer($0).rejected } }
}
