import NIOCore

/// A body on its way out, taken piece by piece so that a terabyte needs no more memory than a line.
struct BodySource {
    static let pieceBytes = 16 * 1_024
    private static let filler = ByteBuffer(repeating: UInt8(ascii: "t"), count: pieceBytes)

    let total: Int64
    private(set) var position: Int64 = 0
    private let content: ByteBuffer?

    init(bytes: [UInt8]) {
        content = ByteBuffer(bytes: bytes)
        total = Int64(bytes.count)
    }

    init(fillerBytes: Int64) {
        content = nil
        total = fillerBytes
    }

    var half: Int64 { total / 2 }

    var isAtEnd: Bool { position == total }

    /// The next piece, not past `limit`; nil when `limit` is reached.
    mutating func next(limit: Int64) -> ByteBuffer? {
        let count = Int(min(limit - position, Int64(Self.pieceBytes)))
        guard count > 0 else { return nil }
        let piece =
            content.flatMap { $0.getSlice(at: $0.readerIndex + Int(position), length: count) }
            ?? Self.filler.getSlice(at: 0, length: count)
        position += Int64(count)
        return piece
    }
}
