/// RFC 4648 §5.
package enum Base64URL {
    /// Without padding.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(letter(bits >> UInt32(held) & 63))
            }
        }
        if held > 0 { text.append(letter(bits << UInt32(6 - held) & 63)) }
        return String(decoding: text, as: UTF8.self)
    }

    /// With the right padding or none; nil for what is not base64url.
    package static func decode(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        var letters = text[...]
        if text.count % 4 == 0, letters.last == UInt8(ascii: "=") {
            letters = letters.dropLast()
            if letters.last == UInt8(ascii: "=") { letters = letters.dropLast() }
        }
        guard letters.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count * 3 / 4)
        var bits: UInt32 = 0
        var held = 0
        for letter in letters {
            guard let value = value(letter) else { return nil }
            bits = bits << 6 | value
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        return bytes
    }

    private static func letter(_ value: UInt32) -> UInt8 {
        let value = UInt8(value)
        switch value {
        case ..<26: return value + UInt8(ascii: "A")
        case ..<52: return value - 26 + UInt8(ascii: "a")
        case ..<62: return value - 52 + UInt8(ascii: "0")
        default: return value == 62 ? UInt8(ascii: "-") : UInt8(ascii: "_")
        }
    }

    private static func value(_ letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
