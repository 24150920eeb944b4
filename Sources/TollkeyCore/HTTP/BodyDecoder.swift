/// Finds the content in a message's bytes, piece by piece, and its end (RFC 9112 §6 and §7).
package struct BodyDecoder: Sendable {
    package enum Piece: Sendable, Equatable {
        /// These bytes are content.
        case content(Range<Int>)
        /// All that was given has been read; more must come.
        case more
        /// The message has ended; what follows belongs to the next.
        case end
    }

    private enum State: Sendable {
        case length(Int)
        case chunked(ChunkedDecoder)
        case untilClose
        case ended
    }
    private var state: State
    /// Field lines behind a chunked content, with their CR LFs, without the empty line; checked one by one.
    package private(set) var trailers: [UInt8] = []

    package init(_ framing: BodyFraming) {
        switch framing {
        case .length(0): state = .ended
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked(ChunkedDecoder())
        case .untilClose: state = .untilClose
        }
    }

    package var isEnded: Bool {
        if case .ended = state { return true }
        return false
    }

    package var endsWithConnection: Bool {
        if case .untilClose = state { return true }
        return false
    }

    /// The next piece from `position` on, which moves behind it.
    package mutating func next(_ bytes: Span<UInt8>, at position: inout Int) throws(HeadError) -> Piece {
        let available = bytes.count - position
        switch state {
        case .ended: return .end
        case .length(let remaining):
            guard available > 0 else { return .more }
            let count = min(available, remaining)
            state = count == remaining ? .ended : .length(remaining - count)
            position += count
            return .content(position - count..<position)
        case .untilClose:
            guard available > 0 else { return .more }
            position += available
            return .content(position - available..<position)
        case .chunked(var decoder):
            let piece = try decoder.next(bytes, at: &position, trailers: &trailers)
            state = piece == .end ? .ended : .chunked(decoder)
            return piece
        }
    }
}
