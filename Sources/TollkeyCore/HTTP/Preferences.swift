/// `Prefer` (RFC 7240).
package enum Preferences {
    /// Seconds that the client would wait (§4.3); the first that is said. Costs next to nothing where none is.
    package static func wait(_ fields: borrowing MessageFields, _ head: Span<UInt8>) -> Int? {
        for line in fields.lines where line.known == .other && line.name.count == 6 {
            guard head.extracting(line.name).isName("prefer") else { continue }
            if let seconds = wait(head.extracting(line.value)) { return seconds }
        }
        return nil
    }

    /// `wait=N` among preferences that commas part; each may have parameters behind a semicolon.
    private static func wait(_ value: Span<UInt8>) -> Int? {
        var start = 0
        var isQuoted = false
        for end in 0...value.count {
            if end < value.count {
                if value[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
                guard value[end] == UInt8(ascii: ","), !isQuoted else { continue }
            }
            if let seconds = preference(value.extracting(start..<end)) { return seconds }
            start = end + 1
        }
        return nil
    }

    private static func preference(_ text: Span<UInt8>) -> Int? {
        var position = 0
        skipSpace(text, &position)
        guard text.count >= position + 4, text.extracting(position..<position + 4).isName("wait") else {
            return nil
        }
        position += 4
        skipSpace(text, &position)
        guard position < text.count, text[position] == UInt8(ascii: "=") else { return nil }
        position += 1
        skipSpace(text, &position)
        if position < text.count, text[position] == UInt8(ascii: "\"") { position += 1 }
        var seconds: Int?
        while position < text.count, Characters.isDigit(text[position]) {
            seconds = min((seconds ?? 0) * 10 + Int(text[position] - UInt8(ascii: "0")), secondsMax)
            position += 1
        }
        return seconds
    }

    private static func skipSpace(_ text: Span<UInt8>, _ position: inout Int) {
        while position < text.count, text[position] == 0x20 || text[position] == 9 { position += 1 }
    }

    private static let secondsMax = 1_000_000
}
