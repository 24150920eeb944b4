/// The two ways in which URLs and forms write what is not theirs.
enum PercentEncoding {
    /// For a query or a segment of a path: RFC 3986 §2.3, unreserved characters stay.
    static func append(_ value: [UInt8], to bytes: inout [UInt8]) {
        for c in value {
            if Characters.isAlphanumeric(c) || "-._~".utf8.contains(c) {
                bytes.append(c)
            } else {
                append(escaped: c, to: &bytes)
            }
        }
    }

    /// For `application/x-www-form-urlencoded`: a space is a plus sign.
    static func appendForm(_ value: [UInt8], to bytes: inout [UInt8]) {
        for c in value {
            if Characters.isAlphanumeric(c) || "*-._".utf8.contains(c) {
                bytes.append(c)
            } else if c == 0x20 {
                bytes.append(UInt8(ascii: "+"))
            } else {
                append(escaped: c, to: &bytes)
            }
        }
    }

    private static func append(escaped c: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "%"))
        for digit in [c >> 4, c & 15] {
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
        }
    }
}
