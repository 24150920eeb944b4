/// Takes a structured field apart in place (RFC 9651): a list of items or a dictionary, with parameters. What is
/// neither, an inner list too, is malformed: the whole line is ignored then, as RFC 9651 §4.2 wants it.
struct StructuredScanner {
    struct Malformed: Error {}

    enum Value: Equatable {
        /// Digits, perhaps with a fraction; one below zero is `other`.
        case number(Range<Int>)
        /// A token, or what stands between a string's quotes.
        case text(Range<Int>)
        case other
    }

    private var position: Int
    private let end: Int
    private var isFirst = true

    /// `range` is the line's value within the head.
    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next member, its key when it is a dictionary's; nil at the end. Its parameters have to be taken first.
    mutating func member(_ head: Span<UInt8>) throws(Malformed) -> (key: Range<Int>?, value: Value)? {
        if !isFirst {
            skip(head, alsoTabs: true)
            guard position < end else { return nil }
            guard take(head, ",") else { throw Malformed() }
            skip(head, alsoTabs: true)
            guard position < end else { throw Malformed() }
        }
        guard position < end else { return nil }
        isFirst = false
        let value = try value(head)
        guard case .text(let key) = value, take(head, "=") else { return (nil, value) }
        return (key, try self.value(head))
    }

    /// The next parameter of the member taken last; nil when it has no more. One without a value is `other`.
    mutating func parameter(_ head: Span<UInt8>) throws(Malformed) -> (key: Range<Int>, value: Value)? {
        guard take(head, ";") else { return nil }
        skip(head, alsoTabs: false)
        guard let key = token(head) else { throw Malformed() }
        return (key, take(head, "=") ? try value(head) : .other)
    }

    private mutating func value(_ head: Span<UInt8>) throws(Malformed) -> Value {
        guard position < end else { throw Malformed() }
        switch head[position] {
        case UInt8(ascii: "\""): return .text(try quoted(head))
        case UInt8(ascii: "%"):
            position += 1
            _ = try quoted(head)
        case UInt8(ascii: ":"):
            position += 1
            while position < end, head[position] != UInt8(ascii: ":") { position += 1 }
            guard take(head, ":") else { throw Malformed() }
        case UInt8(ascii: "-"): _ = try number(head)
        case UInt8(ascii: "?"), UInt8(ascii: "@"):
            position += 1
            _ = try number(head)
        case let c where Characters.isDigit(c): return .number(try number(head))
        default:
            guard let token = token(head) else { throw Malformed() }
            return .text(token)
        }
        return .other
    }

    /// Its digits; one sign may stand before them (RFC 9651 §4.2.4).
    private mutating func number(_ head: Span<UInt8>) throws(Malformed) -> Range<Int> {
        _ = take(head, "-")
        let start = position
        while position < end, Characters.isDigit(head[position]) || head[position] == UInt8(ascii: ".") {
            position += 1
        }
        guard position > start else { throw Malformed() }
        return start..<position
    }

    /// What stands between two quotes; a backslash takes what follows with it.
    private mutating func quoted(_ head: Span<UInt8>) throws(Malformed) -> Range<Int> {
        guard take(head, "\"") else { throw Malformed() }
        let start = position
        while position < end, head[position] != UInt8(ascii: "\"") {
            position += head[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard take(head, "\"") else { throw Malformed() }
        return start..<(position - 1)
    }

    /// A token, or a key, which may hold less.
    private mutating func token(_ head: Span<UInt8>) -> Range<Int>? {
        let start = position
        guard position < end,
            (head[position] | 0x20) &- UInt8(ascii: "a") < 26 || head[position] == UInt8(ascii: "*")
        else { return nil }
        while position < end,
            Characters.isToken(head[position]) || head[position] == UInt8(ascii: ":")
                || head[position] == UInt8(ascii: "/")
        { position += 1 }
        return start..<position
    }

    private mutating func take(_ head: Span<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard position < end, head[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ head: Span<UInt8>, alsoTabs: Bool) {
        while position < end, head[position] == 0x20 || alsoTabs && head[position] == 9 { position += 1 }
    }
}
