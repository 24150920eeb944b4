import TollkeyCore

/// A literal IPv4 (dotted, four decimal parts) or IPv6 address (RFC 4291 §2.2, without zone). No other
/// spelling that a resolver might take (`127.1`, `0x7f000001`) is one.
package struct IPAddress: Sendable, Hashable {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        guard let parsed = bytes.contains(colon) ? Self.six(bytes) : Self.four(bytes[...]) else { return nil }
        self.bytes = parsed
    }

    /// 127.0.0.0/8 and ::1, also as an IPv4-mapped address.
    package var isLoopback: Bool {
        if bytes.count == 4 { return bytes[0] == 127 }
        if bytes.dropLast().allSatisfy({ $0 == 0 }) { return bytes[15] == 1 }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return isMapped && bytes[12] == 127
    }

    private static func four(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            // A leading zero is octal to some.
            guard (1...3).contains(part.count), part.allSatisfy(Characters.isDigit),
                part.count == 1 || part.first != UInt8(ascii: "0"),
                let byte = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func six(_ text: [UInt8]) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        guard text.count <= 45 else { return nil }
        if let gap = text.indices.dropLast().first(where: { text[$0] == colon && text[$0 + 1] == colon }) {
            guard let left = groups(text[..<gap], endsAddress: false),
                let right = groups(text[(gap + 2)...], endsAddress: true),
                left.count + right.count <= 14
            else { return nil }
            return left + [UInt8](repeating: 0, count: 16 - left.count - right.count) + right
        }
        guard let all = groups(text[...], endsAddress: true), all.count == 16 else { return nil }
        return all
    }

    /// Two bytes for each group between colons; none for no text.
    private static func groups(_ text: ArraySlice<UInt8>, endsAddress: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard endsAddress, index == parts.count - 1, let last = four(part) else { return nil }
                return bytes + last
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for digit in part {
                guard let value = Characters.hexValue(digit) else { return nil }
                group = group << 4 | UInt16(value)
            }
            bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
        }
        return bytes
    }
}
