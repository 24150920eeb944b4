/// The character classes of RFC 9110 §5.6.2 and RFC 3986, as tables.
package enum Characters {
    /// Bit 0: tchar (RFC 9110 §5.6.2). Bit 1: allowed in a field value (RFC 9110 §5.5). Bit 2: allowed in a
    /// request target (RFC 3986's pchar, `/` and `?`, and the percent sign).
    static let table: InlineArray<256, UInt8> = {
        var table = InlineArray<256, UInt8>(repeating: 0)
        for byte in 0..<256 {
            let c = UInt8(byte)
            let alphanumeric = isAlphanumeric(c)
            var bits: UInt8 = 0
            if alphanumeric || contains("!#$%&'*+-.^_`|~", c) { bits |= 1 }
            if c == 9 || (c >= 0x20 && c != 0x7f) { bits |= 2 }
            if alphanumeric || contains("-._~!$&'()*+,;=:@/?%", c) { bits |= 4 }
            table[byte] = bits
        }
        return table
    }()

    @inline(__always)
    package static func isToken(_ c: UInt8) -> Bool { table[Int(c)] & 1 != 0 }

    @inline(__always)
    package static func isFieldValue(_ c: UInt8) -> Bool { table[Int(c)] & 2 != 0 }

    @inline(__always)
    package static func isTarget(_ c: UInt8) -> Bool { table[Int(c)] & 4 != 0 }

    package static func isDigit(_ c: UInt8) -> Bool { c &- UInt8(ascii: "0") < 10 }

    package static func isAlphanumeric(_ c: UInt8) -> Bool {
        isDigit(c) || (c | 0x20) &- UInt8(ascii: "a") < 26
    }

    @inline(__always)
    package static func lowercased(_ c: UInt8) -> UInt8 {
        c &- UInt8(ascii: "A") < 26 ? c | 0x20 : c
    }

    /// The value of a hexadecimal digit, or nil.
    package static func hexValue(_ c: UInt8) -> UInt8? {
        if isDigit(c) { return c - UInt8(ascii: "0") }
        let letter = (c | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    private static func contains(_ set: StaticString, _ c: UInt8) -> Bool {
        set.withUTF8Buffer { $0.contains(c) }
    }
}

extension Span<UInt8> {
    package func equals(_ other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        for i in indices where self[i] != other[i] { return false }
        return true
    }

    /// Whether this is `lowercase`, letters compared without regard to case.
    package func equalsIgnoringCase(_ lowercase: [UInt8]) -> Bool {
        guard count == lowercase.count else { return false }
        for i in indices where Characters.lowercased(self[i]) != lowercase[i] { return false }
        return true
    }
}
