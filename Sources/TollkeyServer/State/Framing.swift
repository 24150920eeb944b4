/// Several values as one run of bytes that no other values give: each behind its length.
enum Framing {
    static func joined(_ parts: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count + 8 })
        for part in parts { append(part, to: &bytes) }
        return bytes
    }

    static func append(_ part: [UInt8], to bytes: inout [UInt8]) {
        appendNumber(Int64(part.count), to: &bytes)
        bytes.append(contentsOf: part)
    }

    /// Eight bytes, the largest first.
    static func appendNumber(_ number: Int64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
