/// The chunked coding, read strictly (RFC 9112 §7.1): digits without sign or prefix, CR LF and nothing less,
/// extensions bounded and dropped.
package struct ChunkedDecoder: Sendable {
    /// Each state says what comes next.
    private enum State: Sendable {
        case sizeFirstDigit
        case sizeOrEnd
        case `extension`
        case sizeLineFeed
        case content
        case contentCarriageReturn
        case contentLineFeed
        case trailers
    }
    private var state = State.sizeFirstDigit
    private var remaining = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerLines = 0

    /// 15 digits hold in 60 bits, in every parser on the way.
    package static let digitsMax = 15
    /// All extensions of one message together: they mean nothing to anybody and would be work for nothing.
    package static let extensionBytesMax = 1_024
    package static let trailerBytesMax = 8 << 10
    package static let trailerLinesMax = 64

    mutating func next(
        _ bytes: Span<UInt8>, at position: inout Int, trailers: inout [UInt8]
    ) throws(HeadError) -> BodyDecoder.Piece {
        while position < bytes.count {
            let c = bytes[position]
            switch state {
            case .sizeFirstDigit, .sizeOrEnd:
                if let digit = Characters.hexValue(c) {
                    digits += 1
                    guard digits <= Self.digitsMax else { throw .malformed("a chunk size that is too long") }
                    remaining = remaining << 4 | Int(digit)
                    state = .sizeOrEnd
                } else if state == .sizeFirstDigit {
                    throw .malformed("a chunk without a size")
                } else if c == 13 {
                    state = .sizeLineFeed
                } else if c == UInt8(ascii: ";") {
                    state = .extension
                } else {
                    throw .malformed("a chunk size that is no hexadecimal number")
                }
                position += 1
            case .extension:
                if c == 13 {
                    state = .sizeLineFeed
                } else {
                    extensionBytes += 1
                    guard Characters.isFieldValue(c), extensionBytes <= Self.extensionBytesMax else {
                        throw .malformed("a chunk extension that is too long or holds a control character")
                    }
                }
                position += 1
            case .sizeLineFeed:
                guard c == 10 else { throw .malformed("a bare CR in a chunk size") }
                position += 1
                state = remaining == 0 ? .trailers : .content
                digits = 0
            case .content:
                let count = min(remaining, bytes.count - position)
                remaining -= count
                position += count
                if remaining == 0 { state = .contentCarriageReturn }
                return .content(position - count..<position)
            case .contentCarriageReturn:
                guard c == 13 else { throw .malformed("a chunk longer than its size") }
                position += 1
                state = .contentLineFeed
            case .contentLineFeed:
                guard c == 10 else { throw .malformed("a bare CR behind a chunk") }
                position += 1
                state = .sizeFirstDigit
            case .trailers:
                if try readTrailers(bytes, at: &position, &trailers) { return .end }
            }
        }
        return .more
    }

    /// Collects the trailer section, since a line may arrive in parts; true at its end. The last, incomplete line
    /// stays at the end of `trailers` between two calls.
    private mutating func readTrailers(
        _ bytes: Span<UInt8>, at position: inout Int, _ trailers: inout [UInt8]
    ) throws(HeadError) -> Bool {
        while position < bytes.count {
            let c = bytes[position]
            position += 1
            trailers.append(c)
            guard trailers.count <= Self.trailerBytesMax else {
                throw .malformed("trailers that are too long")
            }
            guard c == 10 else { continue }
            let start = lineStart(trailers)
            if trailers.count - start == 2, trailers[start] == 13 {
                trailers.removeLast(2)
                return true
            }
            trailerLines += 1
            guard trailerLines <= Self.trailerLinesMax, try FieldLine.read(trailers.span, at: start) != nil
            else {
                throw .malformed("a trailer line that is not valid")
            }
        }
        return false
    }

    private func lineStart(_ trailers: [UInt8]) -> Int {
        (trailers.dropLast().lastIndex(of: 10) ?? -1) + 1
    }
}
