extension JSON {
    /// Deeper than any body the five providers' documents show, and shallow enough for a small stack.
    static let depthMax = 32

    /// The value in `bytes`, or nil when it is not one JSON text (RFC 8259).
    init?(parsing bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        reader.skipSpace()
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        guard reader.position == bytes.count else { return nil }
        self = value
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            position += 1
            return true
        }

        mutating func value(depth: Int) -> JSON? {
            guard depth < JSON.depthMax, let byte = next else { return nil }
            switch byte {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return text().map(JSON.text)
            case UInt8(ascii: "t"): return word("true", .bool(true))
            case UInt8(ascii: "f"): return word("false", .bool(false))
            case UInt8(ascii: "n"): return word("null", .null)
            default: return number()
            }
        }

        mutating func object(depth: Int) -> JSON? {
            position += 1
            var members: [Member] = []
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            while true {
                skipSpace()
                guard let name = text() else { return nil }
                skipSpace()
                guard take(UInt8(ascii: ":")) else { return nil }
                skipSpace()
                guard let value = value(depth: depth + 1) else { return nil }
                members.append(Member(name: name, value: value))
                skipSpace()
                if take(UInt8(ascii: "}")) { return .object(members) }
                guard take(UInt8(ascii: ",")) else { return nil }
            }
        }

        mutating func array(depth: Int) -> JSON? {
            position += 1
            var values: [JSON] = []
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            while true {
                skipSpace()
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                skipSpace()
                if take(UInt8(ascii: "]")) { return .array(values) }
                guard take(UInt8(ascii: ",")) else { return nil }
            }
        }

        mutating func word(_ word: String, _ value: JSON) -> JSON? {
            guard bytes[position...].starts(with: word.utf8) else { return nil }
            position += word.utf8.count
            return value
        }

        mutating func number() -> JSON? {
            let start = position
            while let byte = next, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
            let digits = String(decoding: bytes[start..<position], as: UTF8.self)
            return Double(digits) == nil ? nil : .number(digits)
        }

        mutating func text() -> String? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            var content: [UInt8] = []
            while let byte = next {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: content, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = escape() else { return nil }
                    content.append(contentsOf: String(escaped).utf8)
                case 0..<0x20: return nil
                default: content.append(byte)
                }
            }
            return nil
        }

        mutating func escape() -> Character? {
            guard let byte = next else { return nil }
            position += 1
            switch byte {
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{c}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                return Character(Unicode.Scalar(byte))
            case UInt8(ascii: "u"): return unicodeEscape()
            default: return nil
            }
        }

        /// One `\uXXXX`, or the two that make a surrogate pair.
        mutating func unicodeEscape() -> Character? {
            guard let first = fourDigits() else { return nil }
            if let scalar = Unicode.Scalar(first) { return Character(scalar) }
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let second = fourDigits(),
                (0xd800..<0xdc00).contains(first), (0xdc00..<0xe000).contains(second)
            else { return nil }
            return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)).map(Character.init)
        }

        mutating func fourDigits() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            let digits = bytes[position..<position + 4]
            guard digits.allSatisfy({ Encoding.hexValue($0) != nil }) else { return nil }
            position += 4
            return digits.reduce(0) { $0 << 4 | UInt32(Encoding.hexValue($1) ?? 0) }
        }
    }
}
