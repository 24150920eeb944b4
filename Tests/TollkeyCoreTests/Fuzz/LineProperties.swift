import TollkeyCore

/// Anything, in the place of whatever a client or a provider can put into a log line, a problem or a span.
///
/// What is written is one line of JSON, by the strict reader, and holds exactly what was given.
func checkLines(_ input: [UInt8]) throws(Broken) {
    try checkCallLine(input)
    try checkProblem(input)
    try checkSpans(input)
    let value = JSONValue.object([.init(text(input), .array([.text(text(input)), .null]))])
    let again = try json(value.bytes, "a value")
    try must(again.bytes == value.bytes, "a value is another when read again")
}

private func json(_ line: [UInt8], _ what: String) throws(Broken) -> JSONValue {
    let control = line.dropLast(line.last == 10 ? 1 : 0).first { $0 < 0x20 }
    try must(control == nil, "\(what) has a control character in it")
    do { return try JSONValue(line, bounds: .own) } catch { throw Broken("\(what) \(error.words)") }
}

private func checkCallLine(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let out = Buffer(capacity: 16)
    var record = CallRecord()
    record.status = Int.random(in: .min ... .max, using: &dice)
    record.span = TimeSpan(nanoseconds: Int64.random(in: .min ... .max, using: &dice))
    record.bytesOut = [0, .max, .min].randomElement(using: &dice) ?? 0
    record.requestID = text(input)
    record.isCut = Bool.random(using: &dice)
    record.failure = Failure(.upstreamBroke, text(input))
    let line = CallLine(into: out, time: bytes("2026-01-15T10:30:00.000Z").span, isWarning: true)
    line.requestID(RequestID(origin: dice.next(), number: dice.next()))
    line.text("path", input.span)
    line.text("category", text(input))
    line.end(record)
    let written = Array(out.readable)
    try must(written.last == 10, "a line does not end")
    let whole = try json(written, "a line")
    // Bytes beyond ASCII are shown as the characters of Latin-1: what they are nobody knows.
    var latin = ""
    for byte in input { latin.unicodeScalars.append(Unicode.Scalar(byte)) }
    try must(isText(whole["path"], latin), "a line has another path")
    for name in ["category", "provider_request_id", "detail"] {
        try must(isText(whole[name], text(input)), "a line has another \(name)")
    }
    try must(whole["status"]?.text == String(record.status), "a line has another status")
}

private func isText(_ value: JSONValue?, _ expected: String) -> Bool {
    guard case .text(let text)? = value else { return false }
    return text.utf8.elementsEqual(expected.utf8)
}

private func checkProblem(_ input: [UInt8]) throws(Broken) {
    var failure = Failure(.upstreamBroke, text(input))
    failure.mayHaveBeenProcessed = true
    failure.category = text(input)
    let problem = ProblemDetails(failure, provider: text(input), requestID: text(input)).json
    let whole = try json(Array(problem.utf8), "a problem")
    for name in ["detail", "category", "provider", "request_id"] {
        try must(isText(whole[name], text(input)), "a problem has another \(name)")
    }
}

private let spanPlace = CallSpan.Place(acme(base: "/v2") { $0.route = "/pay/acme" })

private func checkSpans(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let (method, path) = input.divided(by: " ") ?? (input, input)
    var call = CallSpan(
        .root(dice.next(), dice.next(), span: dice.next(), isSampled: true), parent: dice.next(),
        place: spanPlace, method: method.span, path: path.span,
        start: MonotonicTime(nanoseconds: Int64.random(in: .min ... .max, using: &dice)),
        end: MonotonicTime(nanoseconds: Int64.random(in: .min ... .max, using: &dice)))
    call.category = text(input)
    call.requestID = text(input)
    call.status = Bool.random(using: &dice) ? 500 : nil
    call.failure = Bool.random(using: &dice) ? .upstreamBroke : nil
    var attempt = CallSpan.Attempt(span: dice.next(), start: call.start, end: call.end)
    attempt.status = call.status
    call.attempts = Array(repeating: attempt, count: [0, 1, 2, 10].randomElement(using: &dice) ?? 1)
    let text = SpanJSON(version: text(input), instance: text(input))
        .request([call], origin: Int64.random(in: .min ... .max, using: &dice))
    let whole = try json(text, "a span")
    let place: [AnswerPlace.Step] = [
        .member("resourceSpans"), .element(0), .member("scopeSpans"), .element(0), .member("spans"),
    ]
    let spans = whole.value(at: place)?.elements ?? []
    try must(spans.count == 1 + min(call.attempts.count, CallSpan.attemptsMax), "there are other spans")
    let paths = spans[0]["attributes"]?.elements.filter { $0["key"]?.text == "url.path" } ?? []
    try must(
        paths.count == 1
            && isText(paths[0].value(at: [.member("value"), .member("stringValue")]), call.path),
        "a span has another path")
}

// MARK: The provider's number

/// Places that look for much, so that hardly any text has nothing at any of them.
private let placeSets: [[[AnswerPlace.Step]]] = [
    [[.member("id")], [.member("meta"), .member("request_id")], [.element(1)], [.member("é\"\u{1f600}")]],
    [
        [.member("meta"), .member("id")], [.member("data"), .element(0), .member("id")], [.member("a")],
        [.member("a"), .member("a")], [.element(0), .element(1)], [.element(2), .member("id")],
        [.member("")], [.member("id"), .member("id")],
    ],
    [Array(repeating: .element(0), count: 30), [.member("id")]],
]

/// The content of an answer: the scanner finds the same however it is cut, and in what is JSON what the reader of whole
/// texts finds.
func checkRequestID(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let parts = dice.parts(input, atMost: 9)
    let whole = input.count <= 16 << 10 ? try? JSONValue(input) : nil
    for places in placeSets {
        let found = foundID(places, [input])
        try must(foundID(places, parts) == found, "in parts it is another")
        try must(foundID(places, input.map { [$0] }) == found, "byte by byte it is another")
        if let whole {
            let expected = expectedID(places, whole)
            try must(found == expected, "it is \(found ?? "nothing"), and should be \(expected ?? "nothing")")
        }
        try must(found.map { isID($0) } ?? true, "it could not go into a log")
    }
}

/// By scanning the pieces.
func foundID(_ places: [[AnswerPlace.Step]], _ pieces: [[UInt8]]) -> String? {
    let all = bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    var head = ResponseHead()
    guard (try? head.read(all.span)) == true else { return nil }
    let search = RequestIDSearch()
    search.begin(RequestIDPlaces(places.map { .json($0) }), head.fields, all.span)
    for piece in pieces { search.read(piece.span) }
    return search.found
}

/// By reading the whole text.
func expectedID(_ places: [[AnswerPlace.Step]], _ whole: JSONValue) -> String? {
    for place in places {
        let text: String
        switch whole.value(at: place) {
        case .text(let value): text = value
        case .number(let number) where !number.contains(where: { ".eE".contains($0) }): text = number
        case .number, .object, .array, .flag, .null, nil: continue
        }
        if isID(text) { return text }
    }
    return nil
}

private func isID(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
        && text.utf8.allSatisfy { Characters.isAlphanumeric($0) || "._:/+=@-".utf8.contains($0) }
}

// MARK: Traces

private let traced = acme(base: "/v1")

/// The value of a `traceparent`: it is valid by the plainest reading or it is none; what is written of it is the same; and
/// a request that brings it is sent on with one, whatever it brings.
func checkTrace(_ input: [UInt8]) throws(Broken) {
    let context = TraceContext(input.span)
    try must((context != nil) == isTraceparent(input), "it is \(context == nil ? "refused" : "taken")")
    if let context {
        let out = Buffer(capacity: 16)
        context.write(into: out)
        let written = Array(out.readable)
        try must(TraceContext(written.span) == context, "it is another when written")
        try must(written[3..<52].elementsEqual(input[3..<52]), "its ids are others when written")
    }
    let all =
        bytes("GET /acme HTTP/1.1\r\nHost: a\r\ntraceparent: ") + input + bytes("\r\ntracestate: a=b\r\n\r\n")
    var head = RequestHead()
    guard (try? head.read(all.span, limits: ClientLimits())) == true else { return }
    var starter = TraceStarter(share: 1, seed: (1, 2, 3, 4))
    let client = TraceContext.read(head.fields, all.span)
    let trace = starter.begin(client)
    let out = Buffer(capacity: 512)
    let credential = CredentialSnapshot(generation: 1, headers: [], secrets: [:])
    try? RequestRewriter(traced, pseudonym: "p").write(
        head, all.span, prefixLength: 5, credential: credential, trace: trace, into: out)
    let sent = Array(out.readable)
    var again = RequestHead()
    guard (try? again.read(sent.span, limits: ClientLimits())) == true else {
        throw Broken("it is sent as nonsense")
    }
    guard let trace else { return }
    let read = TraceContext.read(again.fields, sent.span)
    try must(
        read?.span == trace.span && read?.traceText == trace.traceText,
        "the provider gets another trace, or two")
    if let client { try must(client.traceText == trace.traceText, "it is another trace behind the proxy") }
}

/// `version-trace-span-flags` (§3.2).
private func isTraceparent(_ value: [UInt8]) -> Bool {
    let parts = value.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count >= 4, parts.prefix(4).map(\.count) == [2, 32, 16, 2] else { return false }
    let isHex = parts.prefix(4).joined().allSatisfy { "0123456789abcdef".utf8.contains($0) }
    let isZero = parts[1...2].contains { $0.allSatisfy { $0 == UInt8(ascii: "0") } }
    let version = text(parts[0])
    return isHex && !isZero && version != "ff" && (version != "00" || parts.count == 4)
}
