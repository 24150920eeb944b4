extension TextEncoding {
    /// `bytes` as ASCII text. Hexadecimal digits are lower case; base64 is padded, base64url is not (RFC 4648).
    package func encode(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .hex: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }
        case .base64: Self.base64(bytes, last: "+/", isPadded: true)
        case .base64url: Self.base64(bytes, last: "-_", isPadded: false)
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private static func base64(_ bytes: [UInt8], last: String, isPadded: Bool) -> [UInt8] {
        let alphabet = Self.alphabet + Array(last.utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(3 - group.count) * 8
            for place in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)]) }
            if isPadded { text += Array(repeating: UInt8(ascii: "="), count: 3 - group.count) }
        }
        return text
    }
}
