/// An answer's head, scanned in place (RFC 9112 §4 and §5), as strictly as a request's: what could be read in two
/// ways must not reach the client either.
package struct ResponseHead: ~Copyable {
    package private(set) var status = 0
    package private(set) var minorVersion = 1
    /// From the status to the end of the reason phrase, as it came.
    package private(set) var statusAndReason: Range<Int> = 0..<0
    package private(set) var fields = MessageFields()
    /// How many bytes it takes; right once complete.
    package var end: Int { position }

    private var hasStatusLine = false
    private var position = 0

    /// Bounds on one head; beyond them the answer counts as broken.
    package static let bytesMax = 64 << 10
    package static let linesMax = 256
    /// Interim answers (1xx) relayed or dropped before the final one.
    package static let interimMax = 16

    package init() {}

    package mutating func reset() {
        status = 0
        fields.reset()
        hasStatusLine = false
        position = 0
    }

    /// True once the head is complete.
    package mutating func read(_ bytes: Span<UInt8>) throws(HeadError) -> Bool {
        if !hasStatusLine {
            guard try readStatusLine(bytes) else { return try incomplete(bytes) }
            hasStatusLine = true
        }
        guard try fields.read(bytes, at: &position, linesMax: Self.linesMax) else {
            return try incomplete(bytes)
        }
        guard position <= Self.bytesMax else { throw .headTooLarge }
        guard !(fields.isChunked && fields.contentLength != nil) else {
            throw .malformed("both Content-Length and Transfer-Encoding")
        }
        guard !(fields.isChunked && minorVersion == 0) else {
            throw .malformed("Transfer-Encoding in an HTTP/1.0 answer")
        }
        return true
    }

    private func incomplete(_ bytes: Span<UInt8>) throws(HeadError) -> Bool {
        guard bytes.count <= Self.bytesMax else { throw .headTooLarge }
        return false
    }

    /// `HTTP/1.x SP 3DIGIT [SP reason] CR LF`. The space in front of an empty reason may be missing, as it often is.
    private mutating func readStatusLine(_ bytes: Span<UInt8>) throws(HeadError) -> Bool {
        let start: StaticString = "HTTP/1."
        for i in 0..<min(7, bytes.count) where bytes[i] != start.utf8Start[i] {
            throw .malformed("the answer does not begin with HTTP/1")
        }
        guard bytes.count >= 13 else { return false }
        guard bytes[7] == UInt8(ascii: "1") || bytes[7] == UInt8(ascii: "0"), bytes[8] == 0x20,
            Characters.isDigit(bytes[9]), Characters.isDigit(bytes[10]), Characters.isDigit(bytes[11]),
            bytes[9] != UInt8(ascii: "0"), bytes[12] == 0x20 || bytes[12] == 13
        else { throw .malformed("the answer has no valid status line") }
        var i = 12
        while i < bytes.count, Characters.isFieldValue(bytes[i]) { i += 1 }
        guard i + 1 < bytes.count else { return false }
        guard bytes[i] == 13, bytes[i + 1] == 10 else {
            throw .malformed("the status line holds a control character, or does not end in CR LF")
        }
        minorVersion = Int(bytes[7] - UInt8(ascii: "0"))
        status = (9...11).reduce(0) { $0 * 10 + Int(bytes[$1] - UInt8(ascii: "0")) }
        statusAndReason = 9..<i
        position = i + 2
        return true
    }

    package var isInterim: Bool { status < 200 }

    /// What has to be known of a final answer before its content can be relayed.
    package func traits(toHead: Bool) -> (framing: BodyFraming, isReusable: Bool) {
        let framing = self.framing(toHead: toHead)
        return (framing, isPersistent && framing != .untilClose)
    }

    /// RFC 9112 §6.3: which depends on what was asked for.
    package func framing(toHead: Bool) -> BodyFraming {
        if toHead || status == 204 || status == 304 || isInterim { return .length(0) }
        if fields.isChunked { return .chunked }
        return fields.contentLength.map { .length($0) } ?? .untilClose
    }

    /// Whether the connection can carry another request afterwards (RFC 9112 §9.3).
    package var isPersistent: Bool {
        minorVersion == 1
            ? !fields.connection.close : fields.connection.keepAlive && !fields.connection.close
    }
}
