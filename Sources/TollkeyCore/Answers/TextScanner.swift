/// Takes a short text apart from its beginning on.
struct TextScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    /// Whether exactly this came next, and is now behind.
    mutating func take(_ expected: String) -> Bool {
        let expected = Array(expected.utf8)
        guard bytes[position...].starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    /// The index of the word that comes next.
    mutating func take(anyOf words: [String]) -> Int? {
        for (index, word) in words.enumerated() where take(word) { return index }
        return nil
    }

    /// The values of the digits that come next, up to the first byte that is none.
    mutating func takeDigits() -> [UInt8] {
        var digits: [UInt8] = []
        while position < bytes.count, Characters.isDigit(bytes[position]) {
            digits.append(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return digits
    }

    /// A number of exactly so many digits, at most nine of them.
    mutating func takeNumber(digits count: Int) -> Int? {
        guard bytes.count - position >= count else { return nil }
        var number = 0
        for i in position..<position + count {
            guard Characters.isDigit(bytes[i]) else { return nil }
            number = number * 10 + Int(bytes[i] - UInt8(ascii: "0"))
        }
        position += count
        return number
    }
}
