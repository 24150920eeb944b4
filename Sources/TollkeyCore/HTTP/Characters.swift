/// The character classes of RFC 9110 §5.6.2 and RFC 3986 §3.
///
/// As bit sets in constants: a table in memory would cost a lazy-initialisation check at each use.
package enum Characters {
    /// tchar, RFC 9110 §5.6.2.
    @inline(__always)
    package static func isToken(_ c: UInt8) -> Bool {
        contains(c, low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    }

    /// What a field value may hold, RFC 9110 §5.5: everything but controls, a tab excepted.
    @inline(__always)
    package static func isFieldValue(_ c: UInt8) -> Bool { (c >= 0x20 && c != 0x7f) || c == 9 }

    /// The first position from `start` on whose byte `isFieldValue` refuses, or the end.
    package static func endOfFieldValue(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var i = start
        // Eight at a time for as long as none of them is a control character, tabs included.
        let each: UInt64 = 0x0101_0101_0101_0101
        while i + 8 <= bytes.count {
            let word = bytes.bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self)
            let deleted = word ^ (each * 0x7f)
            let controls = (word &- each * 0x20) & ~word | (deleted &- each) & ~deleted
            guard controls & (each * 0x80) == 0 else { break }
            i += 8
        }
        while i < bytes.count, isFieldValue(bytes[i]) { i += 1 }
        return i
    }

    /// What a path may hold, RFC 3986 §3.3: pchar, `/` and the percent sign.
    @inline(__always)
    package static func isPath(_ c: UInt8) -> Bool {
        contains(c, low: 0x2fff_fff2_0000_0000, high: 0x47ff_fffe_87ff_ffff)
    }

    /// What a query may hold. Wider than RFC 3986 §3.4, because clients send brackets, braces and quotes as they
    /// are and no two parsers read them differently; a number sign would be read as a fragment.
    @inline(__always)
    package static func isQuery(_ c: UInt8) -> Bool { c > 0x20 && c < 0x7f && c != UInt8(ascii: "#") }

    @inline(__always)
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

    /// `low` has a bit for each of 0…63, `high` for each of 64…127.
    @inline(__always)
    private static func contains(_ c: UInt8, low: UInt64, high: UInt64) -> Bool {
        c < 128 && (c < 64 ? low : high) &>> UInt64(c & 63) & 1 != 0
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

    /// Whether this is the ASCII text `lowercase`, letters compared without regard to case.
    package func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        count == lowercase.utf8CodeUnitCount && hasPrefixIgnoringCase(lowercase)
    }

    /// Whether this begins with the ASCII text `lowercase`, letters compared without regard to case.
    package func hasPrefixIgnoringCase(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard count >= length else { return false }
        let expected = lowercase.utf8Start
        for i in 0..<length where Characters.lowercased(self[i]) != expected[i] { return false }
        return true
    }
}
