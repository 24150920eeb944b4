/// Reads one JSON text (RFC 8259) from its first byte to its last.
struct JSONReader {
    private let bounds: JSONValue.Bounds
    private var position = 0
    private var values = 0

    init(_ bounds: JSONValue.Bounds = .answer) { self.bounds = bounds }

    mutating func read(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
        guard bytes.count <= bounds.bytes else { throw .tooLarge }
        do { _ = try UTF8Span(validating: bytes) } catch { throw .notUTF8 }
        skipSpace(bytes)
        let value = try value(bytes, depth: 0)
        guard position == bytes.count else { throw malformed }
        return value
    }

    private var malformed: JSONFault { .malformed(at: position) }

    /// Also skips the white space behind the value.
    private mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> JSONValue {
        values += 1
        guard values <= bounds.values else { throw .tooManyValues }
        let value: JSONValue
        switch peek(bytes) {
        case UInt8(ascii: "{"): value = try object(bytes, depth: depth)
        case UInt8(ascii: "["): value = try array(bytes, depth: depth)
        case UInt8(ascii: "\""): value = .text(try text(bytes))
        case UInt8(ascii: "t"): value = try literal(bytes, "true", .flag(true))
        case UInt8(ascii: "f"): value = try literal(bytes, "false", .flag(false))
        case UInt8(ascii: "n"): value = try literal(bytes, "null", .null)
        default: value = .number(try number(bytes))
        }
        skipSpace(bytes)
        return value
    }

    private mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < JSONValue.depthMax else { throw .tooDeep }
        var members: [JSONValue.Member] = []
        var names: Set<[UInt8]> = []
        step(bytes)
        if take(bytes, UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipSpace(bytes)
            let name = try text(bytes)
            guard names.insert(Array(name.utf8)).inserted else { throw .repeatedName }
            skipSpace(bytes)
            guard take(bytes, UInt8(ascii: ":")) else { throw malformed }
            skipSpace(bytes)
            members.append(JSONValue.Member(name, try value(bytes, depth: depth + 1)))
        } while take(bytes, UInt8(ascii: ","))
        guard take(bytes, UInt8(ascii: "}")) else { throw malformed }
        return .object(members)
    }

    private mutating func array(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < JSONValue.depthMax else { throw .tooDeep }
        var elements: [JSONValue] = []
        step(bytes)
        if take(bytes, UInt8(ascii: "]")) { return .array([]) }
        repeat {
            skipSpace(bytes)
            elements.append(try value(bytes, depth: depth + 1))
        } while take(bytes, UInt8(ascii: ","))
        guard take(bytes, UInt8(ascii: "]")) else { throw malformed }
        return .array(elements)
    }

    /// §7, quotes and all.
    private mutating func text(_ bytes: Span<UInt8>) throws(JSONFault) -> String {
        guard take(bytes, UInt8(ascii: "\"")) else { throw malformed }
        var text: [UInt8] = []
        while let byte = peek(bytes) {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(bytes, into: &text)
            case ..<0x20: throw malformed
            default:
                text.append(byte)
                position += 1
            }
        }
        throw malformed
    }

    private mutating func escape(_ bytes: Span<UInt8>, into text: inout [UInt8]) throws(JSONFault) {
        position += 1
        guard let letter = peek(bytes) else { throw malformed }
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            position += 1
            text += Array(String(try scalar(bytes)).utf8)
            return
        default: throw malformed
        }
        position += 1
    }

    /// What stands behind `\u`. Half a surrogate pair names no character and is refused.
    private mutating func scalar(_ bytes: Span<UInt8>) throws(JSONFault) -> Unicode.Scalar {
        let first = try codeUnit(bytes)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, take(bytes, UInt8(ascii: "\\")), take(bytes, UInt8(ascii: "u")) else {
            throw malformed
        }
        let second = try codeUnit(bytes)
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw malformed }
        return scalar
    }

    private mutating func codeUnit(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(bytes), let digit = Characters.hexValue(byte) else { throw malformed }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// §6.
    private mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) -> String {
        let start = position
        _ = take(bytes, UInt8(ascii: "-"))
        if !take(bytes, UInt8(ascii: "0")) { try digits(bytes) }
        if take(bytes, UInt8(ascii: ".")) { try digits(bytes) }
        if take(bytes, UInt8(ascii: "e")) || take(bytes, UInt8(ascii: "E")) {
            if !take(bytes, UInt8(ascii: "+")) { _ = take(bytes, UInt8(ascii: "-")) }
            try digits(bytes)
        }
        var number: [UInt8] = []
        for i in start..<position { number.append(bytes[i]) }
        return String(decoding: number, as: UTF8.self)
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONFault) {
        let start = position
        while let byte = peek(bytes), Characters.isDigit(byte) { position += 1 }
        guard position > start else { throw malformed }
    }

    private mutating func literal(
        _ bytes: Span<UInt8>, _ word: String, _ value: JSONValue
    ) throws(JSONFault) -> JSONValue {
        for byte in word.utf8 {
            guard take(bytes, byte) else { throw malformed }
        }
        return value
    }

    private func peek(_ bytes: Span<UInt8>) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ bytes: Span<UInt8>, _ byte: UInt8) -> Bool {
        guard peek(bytes) == byte else { return false }
        position += 1
        return true
    }

    /// Past the bracket that opens, and the white space behind it.
    private mutating func step(_ bytes: Span<UInt8>) {
        position += 1
        skipSpace(bytes)
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while let byte = peek(bytes), byte == 0x20 || byte == 9 || byte == 10 || byte == 13 { position += 1 }
    }
}
