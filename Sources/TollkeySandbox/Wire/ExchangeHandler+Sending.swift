import NIOCore
import NIOHTTP1

extension ExchangeHandler {
    /// What one turn of the event loop sends at most, so that a download does not starve its neighbours.
    private static let turnBytesMax: Int64 = 4 * 1_024 * 1_024
    /// What `close-mid-body` and `slow-body` send when the answer has no body to halve.
    private static let standInBytes: Int64 = 1_024

    /// Sends the head, and the body as fast as the peer takes it.
    func send(
        _ answer: Answer, to arrival: Arrival, atHalf: Outgoing.AtHalf? = nil, closesAfter: Bool = false,
        staysOpen: Bool = false, context: ChannelHandlerContext
    ) {
        observe(arrival, status: answer.status)
        if answer.hasHints {
            var hints = HTTPResponseHead(
                version: .http1_1, status: .custom(code: 103, reasonPhrase: "Early Hints"))
            hints.headers.add(name: "Link", value: "</sandbox/echo>; rel=preload")
            context.writeAndFlush(wrapOutboundOut(.head(hints)), promise: nil)
        }
        var head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: answer.headers)
        // RFC 9110 §6.6.1: by this clock tokens are made, and their ends are to be judged.
        if answer.status >= 200 { head.headers.add(name: "Date", value: UnixTime.httpText(stage.now())) }
        let isHead = arrival.head.method == .HEAD
        let source = Self.frame(&head, answer, request: arrival.head, needsBody: atHalf != nil && !isHead)
        let isLast = !arrival.head.isKeepAlive
        if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        outgoing = Outgoing(
            source: isHead ? BodySource(bytes: []) : source, atHalf: isHead ? nil : atHalf,
            trailers: answer.trailers, closesAfter: (isLast || closesAfter) && !staysOpen)
        pump(context: context)
    }

    /// Sends body until it ends, pauses, or the peer stops reading.
    func pump(context: ChannelHandlerContext) {
        // A flush can come back here through the writability event: the loop below goes on by itself.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        var sent: Int64 = 0
        // Flushed piece by piece: TLS holds what is not flushed, out of sight of the channel's writability.
        while context.channel.isWritable, var current = outgoing, !current.isPaused {
            guard let piece = current.source.next(limit: current.limit) else {
                return reachLimit(of: current, context: context)
            }
            outgoing = current
            sent += Int64(piece.readableBytes)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
            if sent >= Self.turnBytesMax {
                return context.eventLoop.assumeIsolated().execute { self.pump(context: context) }
            }
        }
    }

    private func reachLimit(of current: Outgoing, context: ChannelHandlerContext) {
        switch current.atHalf {
        case nil: finish(current, context: context)
        case .close:
            phase = .over
            outgoing = nil
            context.flush()
            context.close(promise: nil)
        case .pause(let milliseconds):
            outgoing?.isPaused = true
            context.flush()
            after(milliseconds: milliseconds, context: context) { context in
                self.outgoing?.atHalf = nil
                self.outgoing?.isPaused = false
                self.pump(context: context)
            }
        }
    }

    /// The phase changes before the end is written: writing it can bring the next request in at once.
    private func finish(_ current: Outgoing, context: ChannelHandlerContext) {
        phase = current.closesAfter ? .over : .idle
        outgoing = nil
        isPumping = false
        context.writeAndFlush(wrapOutboundOut(.end(current.trailers)), promise: nil)
        if current.closesAfter { context.close(promise: nil) }
    }

    /// Adds the framing (RFC 9112 §6) and answers the body that fits it. An answer to HEAD says a length
    /// where it can and never chunked, because the encoder would end the chunks.
    private static func frame(
        _ head: inout HTTPResponseHead, _ answer: Answer, request: HTTPRequestHead, needsBody: Bool
    ) -> BodySource {
        var source: BodySource
        var isChunked = false
        switch answer.body {
        case .none:
            guard needsBody, head.status.mayHaveResponseBody else { return BodySource(bytes: []) }
            source = BodySource(fillerBytes: standInBytes)
        case .bytes(let bytes): source = BodySource(bytes: bytes)
        case .filler(let count, let chunked):
            source = BodySource(fillerBytes: count)
            isChunked = chunked && request.version == .http1_1 && request.method != .HEAD
        }
        if needsBody, source.total < 2 { source = BodySource(fillerBytes: standInBytes) }
        if isChunked {
            head.headers.replaceOrAdd(name: "Transfer-Encoding", value: "chunked")
        } else {
            head.headers.remove(name: "Trailer")
            head.headers.replaceOrAdd(name: "Content-Length", value: String(source.total))
        }
        return source
    }
}
