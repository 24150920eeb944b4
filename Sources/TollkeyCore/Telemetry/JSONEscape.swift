/// An escape in a JSON text (RFC 8259 §7), byte by byte behind its backslash.
struct JSONEscape: Sendable {
    private var unit: UInt32 = 0
    private var digitsLeft = 0
    /// The first half of a surrogate pair; 0 without.
    private var firstHalf: UInt32 = 0
    /// What it stands for, once the state is `text` again.
    private(set) var scalar: Unicode.Scalar?

    mutating func read(_ byte: UInt8, _ state: RequestIDScanner.State) -> RequestIDScanner.State {
        switch state {
        case .escape: return readLetter(byte)
        case .hex: return readDigit(byte)
        // Half a surrogate pair names no character: the other half must follow.
        case .secondEscape: return byte == UInt8(ascii: "\\") ? .secondHex : .over
        case .secondHex:
            (unit, digitsLeft) = (0, 4)
            return byte == UInt8(ascii: "u") ? .hex : .over
        case .value, .firstElement, .firstMember, .member, .colon, .next, .text, .minus, .zero, .integer,
            .point, .fraction, .exponent, .exponentSign, .exponentDigits, .literal, .skip, .skipText,
            .skipEscape, .over:
            return .over
        }
    }

    private mutating func readLetter(_ letter: UInt8) -> RequestIDScanner.State {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(letter)
        case UInt8(ascii: "b"): scalar = "\u{8}"
        case UInt8(ascii: "f"): scalar = "\u{c}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        case UInt8(ascii: "u"):
            (unit, digitsLeft, firstHalf) = (0, 4, 0)
            return .hex
        default: return .over
        }
        return .text
    }

    private mutating func readDigit(_ byte: UInt8) -> RequestIDScanner.State {
        guard let digit = Characters.hexValue(byte) else { return .over }
        unit = unit << 4 | UInt32(digit)
        digitsLeft -= 1
        guard digitsLeft == 0 else { return .hex }
        switch (firstHalf, unit) {
        case (0, 0xd800...0xdbff):
            firstHalf = unit
            return .secondEscape
        case (0, _): scalar = Unicode.Scalar(unit)
        case (_, 0xdc00...0xdfff):
            scalar = Unicode.Scalar(0x10000 + (firstHalf - 0xd800) << 10 + (unit - 0xdc00))
        default: return .over
        }
        return scalar == nil ? .over : .text
    }
}
