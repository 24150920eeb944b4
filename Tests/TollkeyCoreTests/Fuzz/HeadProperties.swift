import TollkeyCore

private let provider = acme(base: "/v1") {
    $0.inject = [InjectedHeader("X-Key", "ours")]
    $0.defaults = [InjectedHeader("Accept", "application/json")]
}

private let wide: ClientLimits = {
    var limits = ClientLimits()
    limits.head = 1 << 20
    limits.target = 1 << 16
    limits.headers = 1_000
    return limits
}()

extension Dice {
    /// Where `input` is cut in three places; nowhere when it is empty.
    fileprivate mutating func cuts(_ input: [UInt8]) -> [Int] {
        input.isEmpty ? [] : (0..<3).map { _ in Int.random(in: 0..<input.count, using: &self) }.sorted()
    }
}

// MARK: Requests

/// A request's head: the same however it is cut; what is accepted ends where the plainest reader sees its end, and
/// is forwarded as a head that is accepted again, with the same framing and nothing of the client's that must not pass.
func checkRequest(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let whole = readRequest(input)
    let cuts = dice.cuts(input)
    let inParts = readRequest(input, cutAt: cuts)
    // In parts, what is wrong in a line may be seen only once a control character comes.
    let isRefusedLater = readRequest(input + [10], cutAt: cuts + [input.count]).isRefused
    try must(
        whole == inParts || whole.isRefused && isRefusedLater,
        "it is \(whole), but cut at \(cuts) it is \(inParts)")
    guard case .complete = whole else { return }
    var head = RequestHead()
    guard (try? head.read(input.span, limits: ClientLimits())) == true else {
        throw Broken("is not read again")
    }
    let limits = ClientLimits()
    try must(head.end <= limits.head && head.fields.lines.count <= limits.headers, "it is beyond a bound")
    try checkEnd(input, head.end, mayBeginEmpty: true)
    let wait = Preferences.wait(head.fields, input.span)
    try must((0...1_000_000).contains(wait ?? 0), "it may wait for \(wait ?? 0) s")
    if let wrong = forwardedWrongly(input) { throw Broken("it \(wrong)") }
}

/// Against the plainest reader: lines end in CR LF, the head in an empty one.
private func checkEnd(_ head: [UInt8], _ end: Int, mayBeginEmpty: Bool) throws(Broken) {
    let start = mayBeginEmpty && head.starts(with: bytes("\r\n")) ? 2 : 0
    try must(head.firstStart(of: bytes("\r\n\r\n"), from: start).map { $0 + 4 } == end, "it ends elsewhere")
    let lines = head[start..<end - 4].split(separator: 10, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
        let isLast = index == lines.count - 1
        try must(isLast || line.last == 13, "a line does not end in CR LF")
        let text = isLast ? line : line.dropLast()
        try must(
            text.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }, "a line has a control character in it")
        guard index > 0 else { continue }
        let name = text.prefix { $0 != UInt8(ascii: ":") }
        try must(name.count < text.count && !name.isEmpty, "a line has no name")
        try must(!name.contains(0x20) && !name.contains(9), "a name has a space in it")
    }
}

/// What is wrong with what becomes of `all`, a good head; nil when nothing is.
func forwardedWrongly(_ all: [UInt8]) -> String? {
    var head = RequestHead()
    guard (try? head.read(all.span, limits: ClientLimits())) == true else { return "is not read again" }
    let path = text(all[head.target.path])
    let out = Buffer(capacity: 512)
    let credential = CredentialSnapshot(generation: 1, headers: provider.inject, secrets: [:])
    try? RequestRewriter(provider, pseudonym: "p").write(
        head, all.span, prefixLength: path.hasPrefix("/acme") ? 5 : 0, credential: credential, into: out)
    let forwarded = Array(out.readable)
    var again = RequestHead()
    guard (try? again.read(forwarded.span, limits: wide)) == true else { return "is forwarded as nonsense" }
    let fields = again.fields.lines
    guard again.end == forwarded.count else { return "is forwarded with something behind it" }
    guard all[head.method].elementsEqual(forwarded[again.method]) else { return "has another method" }
    guard again.framing == head.framing else { return "is framed in another way" }
    guard fields.count(where: { $0.known == .host }) == 1 else { return "has no Host, or more than one" }
    let framing = fields.count { $0.known == .contentLength || $0.known == .transferEncoding }
    guard framing <= 1 else { return "has two framings" }
    let foreign: Set<KnownField> = [
        .connection, .te, .upgrade, .keepAlive, .proxy, .imitation, .authorization, .cookie, .forwarded,
        .expect,
    ]
    guard !fields.contains(where: { foreign.contains($0.known) }) else { return "lets a field through" }
    let keys = fields.filter {
        forwarded[$0.name].map { $0 == 0x5f ? 0x2d : $0 | 0x20 } == bytes("x-key")
    }
    guard keys.count == 1, text(forwarded[keys[0].value]) == "ours" else { return "brings its own key" }
    return nil
}

// MARK: Answers

/// An answer's head: as a request's.
func checkAnswer(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let whole = readResponse(input)
    let cuts = dice.cuts(input)
    let inParts = readResponse(input, cutAt: cuts)
    try must(
        whole == inParts || whole.isRefused && inParts.isRefused,
        "it is \(whole), but cut at \(cuts) it is \(inParts)")
    guard case .complete = whole else { return }
    var head = ResponseHead()
    guard (try? head.read(input.span)) == true else { throw Broken("is not read again") }
    try must((100...999).contains(head.status), "its status is \(head.status)")
    try must(
        head.end <= ResponseHead.bytesMax && head.fields.lines.count <= ResponseHead.linesMax,
        "it is beyond a bound")
    try checkEnd(input, head.end, mayBeginEmpty: false)
    if let wrong = returnedWrongly(input) { throw Broken("it \(wrong)") }
}

/// What is wrong with what the client gets of `all`, a good answer's head; nil when nothing is.
func returnedWrongly(_ all: [UInt8]) -> String? {
    var head = ResponseHead()
    guard (try? head.read(all.span)) == true else { return "is not read again" }
    let framing = head.framing(toHead: false)
    let out = Buffer(capacity: 512)
    ResponseRewriter(provider).write(
        head, all.span,
        .init(chunked: framing == .chunked || framing == .untilClose, close: false, saysKeepAlive: false),
        into: out)
    let returned = Array(out.readable)
    var again = ResponseHead()
    guard (try? again.read(returned.span)) == true else { return "is passed back as nonsense" }
    guard again.end == returned.count else { return "is passed back with something behind it" }
    guard again.status == head.status else { return "has another status" }
    let expected: BodyFraming = framing == .untilClose ? .chunked : framing
    guard again.framing(toHead: false) == expected else { return "is framed in another way" }
    let foreign: Set<KnownField> = [.connection, .te, .upgrade, .keepAlive, .proxy, .imitation, .problem]
    let passed = again.fields.lines.filter { !text(returned[$0.name]).isProxyStatus }
    guard !passed.contains(where: { foreign.contains($0.known) }) else { return "lets a field through" }
    return nil
}

extension String {
    /// RFC 9209: of the names that begin with `Proxy-`, this one is for everybody on the way.
    fileprivate var isProxyStatus: Bool { lowercased().replacing("_", with: "-") == "proxy-status" }
}

// MARK: Content in chunks

/// Chunks: the same however they are cut; what is accepted says the same to the plainest decoder, and again when it
/// is written anew; of its trailers only those pass that may.
func checkChunks(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let whole = try? decode(.chunked, [input])
    let parts = dice.parts(input)
    try must((try? decode(.chunked, parts)) == whole, "it is another message in \(parts.count) parts")
    try must((try? decode(.chunked, input.map { [$0] })) == whole, "it is another message byte by byte")
    guard let whole, whole.hasEnded else { return }
    try must(plainContent(input) == whole.content, "the plainest decoder reads another content")
    let again = Buffer(capacity: 64)
    for part in dice.parts(whole.content) where !part.isEmpty {
        again.appendChunkSize(part.count)
        again.append(part)
        again.append("\r\n")
    }
    again.append("0\r\n")
    let trailers = Array(input.dropLast(whole.left).suffix(whole.trailers.utf8.count + 2).dropLast(2))
    if String(validating: trailers, as: UTF8.self) != nil {
        try must(text(trailers) == whole.trailers, "its trailers are elsewhere")
        again.append(trailers)
        again.append("\r\n")
        var expected = whole
        expected.left = 0
        try must(
            (try? decode(.chunked, [Array(again.readable)])) == expected, "it is another when written anew")
    }
    try checkTrailers(trailers)
}

/// The plainest decoder, of what is known to be good; nil where it is not.
private func plainContent(_ input: [UInt8]) -> [UInt8]? {
    var content: [UInt8] = []
    var rest = input
    while let (line, behind) = rest.divided(by: "\r\n") {
        let digits = text(line.prefix { $0 != UInt8(ascii: ";") })
        guard let size = Int(digits, radix: 16), size >= 0 else { return nil }
        if size == 0 { return content }
        guard behind.count >= size + 2, behind[size] == 13, behind[size + 1] == 10 else { return nil }
        content += behind.prefix(size)
        rest = Array(behind.dropFirst(size + 2))
    }
    return nil
}

private func checkTrailers(_ trailers: [UInt8]) throws(Broken) {
    let out = Buffer(capacity: 64)
    for side in ["client", "provider"] {
        out.clear()
        if side == "client" {
            RequestRewriter(provider, pseudonym: "p").writeTrailers(trailers, into: out)
        } else {
            ResponseRewriter(provider).writeTrailers(trailers, into: out)
        }
        let all = bytes("GET / HTTP/1.1\r\nHost: a\r\n") + Array(out.readable) + bytes("\r\n")
        var head = RequestHead()
        guard (try? head.read(all.span, limits: wide)) == true, head.end == all.count else {
            throw Broken("the \(side)'s trailers pass as nonsense")
        }
        for line in head.fields.lines.dropFirst() {
            try must(!line.known.isForbiddenInTrailers, "a trailer of the \(side)'s passes that may not")
        }
    }
}
