/// Numbers in fields, read in place: digits, and a fraction if need be. A sign is not taken, nor is an exponent.
enum PlainNumber {
    /// The number times 1000, rounded up so that nobody comes too early; nil for what is none or is too large.
    static func thousandths(_ text: Span<UInt8>) -> Int64? {
        var value: Int64 = 0
        // Digits behind the point; -1 in front of it.
        var behind = -1
        var isMore = false
        for i in text.indices {
            if text[i] == UInt8(ascii: "."), behind < 0, i > 0 {
                behind = 0
            } else if Characters.isDigit(text[i]) {
                let digit = Int64(text[i] - UInt8(ascii: "0"))
                if behind >= 0 { behind += 1 }
                if behind > 3 {
                    isMore = isMore || digit > 0
                } else {
                    guard value <= (.max - digit) / 10 else { return nil }
                    value = value * 10 + digit
                }
            } else {
                return nil
            }
        }
        // Neither nothing nor a point at the end.
        guard !text.isEmpty, behind != 0 else { return nil }
        for _ in min(max(behind, 0), 3)..<3 {
            guard value <= .max / 10 else { return nil }
            value *= 10
        }
        return isMore && value < .max ? value + 1 : value
    }

    /// Calls: a fraction of one is none.
    static func count(_ text: Span<UInt8>) -> Int? {
        var whole = 0
        while whole < text.count, text[whole] != UInt8(ascii: ".") { whole += 1 }
        guard whole > 0, whole <= digitsMax else { return nil }
        if whole < text.count, thousandths(text) == nil { return nil }
        var count = 0
        for i in 0..<whole {
            guard Characters.isDigit(text[i]) else { return nil }
            count = count * 10 + Int(text[i] - UInt8(ascii: "0"))
        }
        return count
    }

    /// Of a count: as many as 64 bits always hold. A structured field's integer has 15 at most (RFC 9651 §3.3.1).
    private static let digitsMax = 18
}
