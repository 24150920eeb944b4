/// The field section of a head, read line by line as it arrives, and what it says of framing and connection.
///
/// Used again for one message after the other, so that its memory is.
package struct MessageFields: ~Copyable {
    package private(set) var lines: [FieldLine] = []
    package private(set) var contentLength: Int?
    package private(set) var isChunked = false
    package private(set) var connection = ConnectionOptions()
    /// The index of the `Host` line.
    package private(set) var host: Int?
    package private(set) var expectsContinue = false
    private var idempotencyKey: Int?
    package private(set) var hasVia = false
    package private(set) var hasBrowserFields = false

    package init() {}

    mutating func reset() {
        lines.removeAll(keepingCapacity: true)
        contentLength = nil
        isChunked = false
        connection = ConnectionOptions()
        host = nil
        expectsContinue = false
        idempotencyKey = nil
        hasVia = false
        hasBrowserFields = false
    }

    /// Reads lines from `position` on and moves it; true once the empty line has been read.
    mutating func read(
        _ bytes: Span<UInt8>, at position: inout Int, linesMax: Int
    ) throws(HeadError) -> Bool {
        while position < bytes.count {
            if bytes[position] == 13 {
                guard position + 1 < bytes.count else { return false }
                guard bytes[position + 1] == 10 else { throw .malformed("a bare CR in a head") }
                position += 2
                return true
            }
            guard let line = try FieldLine.read(bytes, at: position) else { return false }
            guard lines.count < linesMax else { throw .headTooLarge }
            try note(line, bytes)
            lines.append(line)
            position = line.end
        }
        return false
    }

    private mutating func note(_ line: FieldLine, _ bytes: Span<UInt8>) throws(HeadError) {
        let value = bytes.extracting(line.value)
        switch line.known {
        case .host:
            guard host == nil else { throw .malformed("more than one Host") }
            host = lines.count
        case .contentLength:
            // Also two that agree are refused: RFC 9112 §6.3 allows it, and no client of ours needs it.
            guard contentLength == nil else { throw .malformed("more than one Content-Length") }
            contentLength = try Self.length(value)
        case .transferEncoding:
            guard !isChunked, value.equalsIgnoringCase("chunked") else {
                throw .malformed("a Transfer-Encoding other than exactly 'chunked'")
            }
            isChunked = true
        case .connection:
            try connection.read(value)
        case .expect:
            guard value.equalsIgnoringCase("100-continue") else {
                throw .malformed("an Expect other than 100-continue")
            }
            expectsContinue = true
        case .idempotencyKey: idempotencyKey = value.isEmpty ? nil : lines.count
        case .via: hasVia = true
        case .origin, .secFetchSite: hasBrowserFields = true
        case .other, .te, .upgrade, .keepAlive, .proxy, .authorization, .cookie, .forwarded, .override,
            .location, .problem, .imitation:
            break
        }
    }

    /// RFC 9110 §8.6: digits and nothing else, small enough for every parser on the way. Zeros in front are refused:
    /// some parsers see octal.
    private static func length(_ value: Span<UInt8>) throws(HeadError) -> Int {
        guard value.count > 0, value.count <= 18, value.count == 1 || value[0] != UInt8(ascii: "0") else {
            throw .malformed("a Content-Length that is no plain number")
        }
        var length = 0
        for i in value.indices {
            guard Characters.isDigit(value[i]) else {
                throw .malformed("a Content-Length that is no plain number")
            }
            length = length * 10 + Int(value[i] - UInt8(ascii: "0"))
        }
        return length
    }

    /// Whether a key stands there that makes a repetition harmless, and that the provider gets to see.
    package func hasIdempotencyKey(_ bytes: Span<UInt8>) -> Bool {
        guard let idempotencyKey else { return false }
        return !isNamedByConnection(lines[idempotencyKey], bytes)
    }

    /// Whether `Connection` names this field as one of its own connection's (RFC 9110 §7.6.1).
    package func isNamedByConnection(_ line: FieldLine, _ bytes: Span<UInt8>) -> Bool {
        guard connection.namesFields else { return false }
        let name = bytes.extracting(line.name)
        for other in lines where other.known == .connection {
            var rest = other.valueStart
            while let option = ConnectionOptions.next(bytes, &rest, other.valueEnd) {
                if option.count == name.count, equalIgnoringCase(bytes.extracting(option), name) {
                    return true
                }
            }
        }
        return false
    }

    private func equalIgnoringCase(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        for i in a.indices where Characters.lowercased(a[i]) != Characters.lowercased(b[i]) { return false }
        return true
    }
}

/// What `Connection` says (RFC 9112 §9.3, RFC 9110 §7.6.1).
package struct ConnectionOptions: Sendable {
    package var close = false
    package var keepAlive = false
    /// It names fields that must not be forwarded.
    package var namesFields: Bool { names > 0 }
    private var names = 0

    /// Each field of a head is held against each name.
    package static let namesMax = 16

    mutating func read(_ value: Span<UInt8>) throws(HeadError) {
        var rest = 0
        while let option = Self.next(value, &rest, value.count) {
            let text = value.extracting(option)
            if text.equalsIgnoringCase("close") {
                close = true
            } else if text.equalsIgnoringCase("keep-alive") {
                keepAlive = true
            } else if !text.isEmpty {
                names += 1
                guard names <= Self.namesMax else {
                    throw .malformed("a Connection that names too many fields")
                }
            }
        }
    }

    /// The next member of a comma-separated list, white space trimmed; nil at its end (RFC 9110 §5.6.1).
    static func next(_ bytes: Span<UInt8>, _ rest: inout Int, _ end: Int) -> Range<Int>? {
        guard rest < end else { return nil }
        var start = rest
        while start < end, bytes[start] == 0x20 || bytes[start] == 9 { start += 1 }
        var stop = start
        while stop < end, bytes[stop] != UInt8(ascii: ",") { stop += 1 }
        rest = stop + 1
        while stop > start, bytes[stop - 1] == 0x20 || bytes[stop - 1] == 9 { stop -= 1 }
        return start..<stop
    }
}
