/// What an answer's head says about the provider's limits.
///
/// Providers write it in several ways, and wrongly. What is nonsense is ignored, field by field; where two sayings
/// contradict each other the stricter is believed.
package struct RateSignals: Sendable, Equatable {
    /// Calls left in the provider's window.
    package var remaining: Int?
    /// Until there are calls again; at most `spanMax`, as the next.
    package var resetIn: Duration?
    /// How long to stay away; said of a refusal (4xx, 5xx) only. Of a redirect and of a 202 it means something else.
    package var retryAfter: Duration?

    package static let spanMax = RateTime.spanMax

    package init() {}

    /// nil when the head says nothing of the kind. It costs little then: this is asked of every answer.
    ///
    /// Moments are held against the answer's own `Date`; without one against `now`, in milliseconds since 1970.
    package static func read(
        _ fields: borrowing MessageFields, _ head: Span<UInt8>, status: Int, now: Int64
    ) -> RateSignals? {
        let lines = fields.lines
        var first = 0
        while first < lines.count, field(lines[first], head) == nil { first += 1 }
        guard first < lines.count else { return nil }
        var reading = RateReading(now: date(lines, head) ?? now)
        var isStructured = false
        for line in lines[first...] {
            guard let field = field(line, head) else { continue }
            isStructured = isStructured || field == .current || field == .policy
            reading.note(field, line.value, head, status: status)
        }
        if isStructured { reading.structured = structured(lines[first...], head) }
        let signals = reading.signals
        return signals == RateSignals() ? nil : signals
    }

    /// Policies first: `RateLimit` speaks of them by name, and may stand before them.
    private static func structured(_ lines: ArraySlice<FieldLine>, _ head: Span<UInt8>) -> StructuredRates {
        var rates = StructuredRates()
        for line in lines where field(line, head) == .policy { rates.readPolicies(line.value, head) }
        for line in lines where field(line, head) == .current { rates.readCurrent(line.value, head) }
        return rates
    }

    private static func field(_ line: FieldLine, _ head: Span<UInt8>) -> RateField? {
        line.known == .other ? RateField(head.extracting(line.name)) : nil
    }

    private static func date(_ lines: [FieldLine], _ head: Span<UInt8>) -> Int64? {
        for line in lines where line.name.count == 4 && head.extracting(line.name).equalsIgnoringCase("date")
        {
            return RateTime.date(head.extracting(line.value))
        }
        return nil
    }
}

/// The lines of one head, read one after the other.
private struct RateReading {
    private let now: Int64
    private var habit = RateWindow()
    private var draft = RateWindow()
    var structured = StructuredRates()
    private var retryAfter = RateWindow()

    init(now: Int64) { self.now = now }

    mutating func note(_ field: RateField, _ value: Range<Int>, _ head: Span<UInt8>, status: Int) {
        let text = head.extracting(value)
        switch field {
        case .remaining(.habit): Self.eachCount(text) { habit.tighten(remaining: $0) }
        case .remaining(.draft): Self.eachCount(text) { draft.tighten(remaining: $0) }
        case .reset(.habit): Self.eachSpan(text, now) { habit.tighten(resetIn: $0) }
        case .reset(.draft): Self.eachSpan(text, now) { draft.tighten(resetIn: $0) }
        case .current, .policy: break
        case .retryAfter:
            guard status >= 400 else { return }
            Self.eachSpan(text, now, as: RateTime.wait) { retryAfter.tighten(resetIn: $0) }
        }
    }

    var signals: RateSignals {
        let window = RateWindow.stricter(.stricter(habit, draft), structured.window)
        var signals = RateSignals()
        signals.remaining = window.remaining
        signals.resetIn = window.resetIn
        signals.retryAfter = retryAfter.resetIn
        return signals
    }

    /// A list is the same field sent twice and joined on the way.
    private static func eachCount(_ text: Span<UInt8>, _ body: (Int) -> Void) {
        var rest = 0
        while let member = ConnectionOptions.next(text, &rest, text.count) {
            if let count = PlainNumber.count(text.extracting(member)) { body(count) }
        }
    }

    /// An HTTP date has a comma of its own, and begins with a letter.
    private static func eachSpan(
        _ text: Span<UInt8>, _ now: Int64, as read: (Span<UInt8>, Int64) -> Duration? = RateTime.span,
        _ body: (Duration) -> Void
    ) {
        guard text.count > 0, Characters.isDigit(text[0]) else {
            if let span = read(text, now) { body(span) }
            return
        }
        var rest = 0
        while let member = ConnectionOptions.next(text, &rest, text.count) {
            if let span = read(text.extracting(member), now) { body(span) }
        }
    }
}
