import NIOCore
import NIOHTTP1

/// One connection to a played provider: takes a request, lets the provider or the fault answer, sends that.
final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// No request is here; the next head leaves it.
        case idle
        /// A head was read, its end was not; the end, or a fault before the body, leaves it.
        case reading(Arrival)
        /// The whole request was read, the answer is not out; its end leaves it.
        case answering(Arrival)
        /// Nothing is read or answered on this connection any more; it waits to be closed.
        case over
    }

    let stage: Stage
    let tap: WireTap
    let port: Int
    let connection: Int
    var phase = Phase.idle
    /// The answer's body that is being sent.
    var outgoing: Outgoing?
    var isPumping = false
    /// The one delay that is running; the connection's end cancels it.
    var timer: Scheduled<Void>?
    var holdsReads = false

    init(stage: Stage, tap: WireTap, port: Int) {
        self.stage = stage
        self.tap = tap
        self.port = port
        connection = stage.record.nextConnection()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), phase) {
        case (.head(let head), .idle): begin(head, context: context)
        case (.body(let piece), .reading(var arrival)):
            // Released first, so that the bytes are added in place and not to a copy.
            phase = .idle
            arrival.add(piece)
            phase = .reading(arrival)
        case (.end(let trailers), .reading(var arrival)):
            arrival.trailers = trailers
            phase = .answering(arrival)
            remember(arrival, isComplete: true)
            answer(arrival, context: context)
        // The rest of a request that a fault has answered already.
        case (_, .over): break
        // The pipelining handler in front hands out one request at a time.
        case (.head, .reading), (.head, .answering), (.body, .idle), (.body, .answering), (.end, .idle),
            (.end, .answering):
            tap.closeNow(isReset: false)
        }
    }

    func read(context: ChannelHandlerContext) {
        if !holdsReads { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump(context: context) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .reading(let arrival) = phase { remember(arrival, isComplete: false) }
        phase = .over
        outgoing = nil
        timer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client may hang up in the middle of its request: the decoder's complaint about that is no news.
        guard let error = error as? HTTPParserError, error != .invalidEOFState else {
            return tap.closeNow(isReset: false)
        }
        if case .reading(let arrival) = phase { remember(arrival, isComplete: false) }
        phase = .over
        stage.violate([Finding(.malformed, "the decoder says \(error)")], connection: connection)
        sendRaw(
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", context: context)
        context.close(promise: nil)
    }

    func remember(_ arrival: Arrival, isComplete: Bool) {
        stage.record.add(
            arrival.recorded(
                by: stage, port: port, connection: connection, isResumed: tap.isResumed,
                isComplete: isComplete))
    }

    func observe(_ arrival: Arrival, status: Int?) {
        stage.observe?(
            Exchange(
                provider: stage.provider, method: arrival.head.method.rawValue,
                path: Masking.path(arrival.head.uri), status: status))
    }

    /// Runs `action` later on this connection's loop, unless the connection ends before.
    func after(
        milliseconds: Int, context: ChannelHandlerContext, _ action: @escaping (ChannelHandlerContext) -> Void
    ) {
        let bounded = min(milliseconds, Fault.delayMillisecondsMax)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(bounded))) {
            action(context)
        }
    }

    /// Writes below the HTTP encoder, for what it would not write.
    func sendRaw(_ text: String, context: ChannelHandlerContext) {
        guard
            let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        else { return }
        encoder.writeAndFlush(NIOAny(context.channel.allocator.buffer(string: text)), promise: nil)
    }

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        stage.inspect(head, port: port, connection: connection)
        let arrival = Arrival(head: head, fault: stage.fault(for: head), isSigned: stage.isSigned(head))
        phase = .reading(arrival)
        if let fault = arrival.fault, fault.isBeforeBody {
            strikeBeforeBody(fault, arrival, context: context)
        } else if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            let status = HTTPResponseStatus.continue
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status))), promise: nil)
        }
    }
}
