/// A request's head, scanned in place (RFC 9112 §3 and §5): positions in the bytes it was read from.
///
/// Fed again with the same bytes and more until it is complete; what has been read is not read twice.
package struct RequestHead: ~Copyable {
    package private(set) var method: Range<Int> = 0..<0
    package private(set) var target = RequestTarget()
    /// HTTP/1.0 or HTTP/1.1.
    package private(set) var minorVersion = 1
    package private(set) var fields = MessageFields()
    /// How many bytes it takes; right once complete.
    package var end: Int { position }

    private enum Reading: Sendable { case requestLine, fields, complete }
    private var reading = Reading.requestLine
    private var position = 0
    /// Bytes seen so far, so that a dribbling client does not have its line read again for each byte.
    private var seen = 0

    package init() {}

    package mutating func reset() {
        method = 0..<0
        target = RequestTarget()
        fields.reset()
        reading = .requestLine
        position = 0
        seen = 0
    }

    /// True once the head is complete. Errors are for the client: the connection cannot go on.
    package mutating func read(_ bytes: Span<UInt8>, limits: ClientLimits) throws(HeadError) -> Bool {
        // A client that dribbles has its line read again only when it may have ended: with a control character, but not a
        // tab, which may stand in a value.
        var hasNews = seen == 0
        if !hasNews {
            for i in seen..<bytes.count where bytes[i] < 0x20 && bytes[i] != 9 {
                hasNews = true
                break
            }
        }
        seen = bytes.count
        if hasNews, try advance(bytes, limits) {
            guard end <= limits.head else { throw .headTooLarge }
            return true
        }
        if reading == .requestLine, bytes.count - position > limits.target + Self.requestLineRest {
            throw .targetTooLong
        }
        if bytes.count > limits.head { throw .headTooLarge }
        return false
    }

    /// Room for the longest method, the version and two spaces beside the target.
    private static let requestLineRest = 64
    private static let methodMax = 32

    private mutating func advance(_ bytes: Span<UInt8>, _ limits: ClientLimits) throws(HeadError) -> Bool {
        if reading == .requestLine {
            // RFC 9112 §2.2: one empty line before a request is the trace of an old client.
            if position == 0, bytes.count > 0, bytes[0] == 13 {
                guard bytes.count > 1 else { return false }
                if bytes[1] == 10 { position = 2 }
            }
            guard try readRequestLine(bytes, limits) else { return false }
            reading = .fields
        }
        if reading == .fields {
            guard try fields.read(bytes, at: &position, linesMax: limits.headers) else { return false }
            reading = .complete
            try checkFraming()
        }
        return true
    }

    /// `method SP target SP HTTP/1.x CR LF`, one space each.
    private mutating func readRequestLine(_ bytes: Span<UInt8>, _ limits: ClientLimits) throws(HeadError)
        -> Bool
    {
        let count = bytes.count
        var i = position
        while i < count, Characters.isToken(bytes[i]) { i += 1 }
        guard i < count else { return false }
        guard i > position, i - position <= Self.methodMax, bytes[i] == 0x20 else {
            throw .malformed("the request line does not begin with a method and a space")
        }
        method = position..<i
        let targetStart = i + 1
        i = targetStart
        while i < count, bytes[i] > 0x20, bytes[i] < 0x7f { i += 1 }
        guard i - targetStart <= limits.target else { throw .targetTooLong }
        guard i < count else { return false }
        guard i > targetStart, bytes[i] == 0x20 else {
            throw .malformed(
                "the request target holds a character that is not allowed, or no version follows it")
        }
        let targetEnd = i
        guard count - i >= 11 else {
            // Wait for the rest of a version, but not behind what can be none.
            return try versionMayFollow(bytes, i + 1)
        }
        guard bytes.extracting(i + 1..<i + 8).equals("HTTP/1."),
            bytes[i + 8] == UInt8(ascii: "1")
                || bytes[i + 8] == UInt8(ascii: "0"), bytes[i + 9] == 13, bytes[i + 10] == 10
        else { throw .malformed("the request line does not end in HTTP/1.1 or HTTP/1.0 and CR LF") }
        minorVersion = Int(bytes[i + 8] - UInt8(ascii: "0"))
        target = try RequestTarget(bytes, targetStart..<targetEnd)
        position = i + 11
        return true
    }

    private func versionMayFollow(_ bytes: Span<UInt8>, _ start: Int) throws(HeadError) -> Bool {
        let expected: StaticString = "HTTP/1.?\r\n"
        for i in start..<bytes.count where bytes[i] != expected.utf8Start[i - start] {
            if i - start == 7 && (bytes[i] == UInt8(ascii: "0") || bytes[i] == UInt8(ascii: "1")) { continue }
            throw .malformed("the request line does not end in HTTP/1.1 or HTTP/1.0 and CR LF")
        }
        return false
    }

    /// RFC 9112 §6: what two parsers could read differently is refused.
    private func checkFraming() throws(HeadError) {
        if fields.isChunked {
            guard fields.contentLength == nil else {
                throw .malformed("both Content-Length and Transfer-Encoding")
            }
            guard minorVersion == 1 else { throw .malformed("Transfer-Encoding in an HTTP/1.0 request") }
        }
        if minorVersion == 1, fields.host == nil { throw .malformed("no Host") }
    }

    package var framing: BodyFraming {
        if fields.isChunked { return .chunked }
        return .length(fields.contentLength ?? 0)
    }

    /// Whether the client wants to go on with this connection (RFC 9112 §9.3).
    package var isPersistent: Bool {
        minorVersion == 1
            ? !fields.connection.close : fields.connection.keepAlive && !fields.connection.close
    }
}

/// What an exchange keeps asking about its request, taken from the head once.
package struct RequestTraits: Sendable {
    package var framing = BodyFraming.length(0)
    package var minorVersion = 1
    package var isPersistent = false
    /// RFC 9110 §9.2.2, or the client gave a key that makes it so.
    package var isRepeatable = false
    package var isHEAD = false
    package var expectsContinue = false
    package var hasVia = false
    /// Bytes of the head.
    package var headEnd = 0

    package init() {}

    /// `bytes` are those that `head` was read from.
    package init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        let method = bytes.extracting(head.method)
        framing = head.framing
        minorVersion = head.minorVersion
        isPersistent = head.isPersistent
        isRepeatable = head.fields.hasIdempotencyKey(bytes) || Exchange.isIdempotent(method)
        isHEAD = method.equals("HEAD")
        // An HTTP/1.0 client knows no interim answers (RFC 9110 §10.1.1).
        expectsContinue = head.fields.expectsContinue && head.minorVersion == 1
        hasVia = head.fields.hasVia
        headEnd = head.end
    }
}

/// How the end of a message's content is found (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case length(Int)
    case chunked
    /// An answer only: the connection's end is the content's.
    case untilClose
}

extension Span<UInt8> {
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for i in indices where self[i] != text.utf8Start[i] { return false }
        return true
    }
}
