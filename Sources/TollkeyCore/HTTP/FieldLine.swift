/// Where one header field stands in its head: positions, no copies.
package struct FieldLine: Sendable {
    /// The name begins with the line.
    package let start: Int
    package let nameEnd: Int
    /// The value without the white space around it (RFC 9112 §5.1).
    package let valueStart: Int
    package let valueEnd: Int
    /// Behind the line's CR LF.
    package let end: Int
    package let known: KnownField

    package var name: Range<Int> { start..<nameEnd }
    package var value: Range<Int> { valueStart..<valueEnd }
    package var line: Range<Int> { start..<end }

    /// Reads the line at `start`; nil when its end has not arrived (RFC 9112 §5).
    ///
    /// Refused are white space before the colon, a folded line, a bare CR or LF, and control characters.
    static func read(_ bytes: Span<UInt8>, at start: Int) throws(HeadError) -> FieldLine? {
        let count = bytes.count
        var i = start
        while i < count, Characters.isToken(bytes[i]) { i += 1 }
        guard i < count else { return nil }
        guard bytes[i] == UInt8(ascii: ":") else {
            throw .malformed(
                "a field name holds a character that is not allowed there, or no colon follows it")
        }
        guard i > start else { throw .malformed("a field has no name") }
        let nameEnd = i
        i += 1
        while i < count, bytes[i] == 0x20 || bytes[i] == 9 { i += 1 }
        let valueStart = i
        i = Characters.endOfFieldValue(bytes, from: i)
        guard i < count else { return nil }
        guard bytes[i] == 13 else {
            throw .malformed("a field value holds a control character, or its line does not end in CR LF")
        }
        guard i + 1 < count else { return nil }
        guard bytes[i + 1] == 10 else { throw .malformed("a field value holds a bare CR") }
        var valueEnd = i
        while valueEnd > valueStart, bytes[valueEnd - 1] == 0x20 || bytes[valueEnd - 1] == 9 { valueEnd -= 1 }
        return FieldLine(
            start: start, nameEnd: nameEnd, valueStart: valueStart, valueEnd: valueEnd, end: i + 2,
            known: KnownField(bytes.extracting(start..<nameEnd)))
    }
}
