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
    }
    private var state: State
    /// Nothing that follows belongs to the message.
    package private(set) var isEnded = false
    /// Field lines behind a chunked content, with their CR LFs, without the empty line; checked one by one.
    package private(set) var trailers: [UInt8] = []

    package init(_ framing: BodyFraming) {
        switch framing {
        case .length(let count):
            state = .length(count)
            isEnded = count == 0
        case .chunked: state = .chunked(ChunkedDecoder())
        case .untilClose: state = .untilClose
        }
    }

    package var endsWithConnection: Bool {
        if case .untilClose = state { return true }
        return false
    }

    /// The next piece from `position` on, which moves behind it.
    package mutating func next(_ bytes: Span<UInt8>, at position: inout Int) throws(HeadError) -> Piece {
        if isEnded { return .end }
        let available = bytes.count - position
        switch state {
        case .length(let remaining):
            guard available > 0 else { return .more }
            let count = min(available, remaining)
            state = .length(remaining - count)
            isEnded = count == remaining
            position += count
            return .content(position - count..<position)
        case .untilClose:
            guard available > 0 else { return .more }
            position += available
            return .content(position - available..<position)
        case .chunked(var decoder):
            let piece = try decoder.next(bytes, at: &position, trailers: &trailers)
            state = .chunked(decoder)
            isEnded = piece == .end
            return piece
        }
    }
}
