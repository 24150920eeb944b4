import NIOCore
import NIOHTTP1

/// One connection to the control listener. Its calls have no body.
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    typealias Answerer = @Sendable (HTTPRequestHead) -> Answer

    private let answer: Answerer
    private var head: HTTPRequestHead?

    init(answer: @escaping Answerer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            respond(answer(head), to: head, context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(_ answer: Answer, to request: HTTPRequestHead, context: ChannelHandlerContext) {
        let bytes: [UInt8]?
        switch answer.body {
        case .bytes(let content): bytes = content
        case .none, .filler: bytes = nil
        }
        var head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: answer.headers)
        if let bytes { head.headers.add(name: "Content-Length", value: String(bytes.count)) }
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let bytes, request.method != .HEAD {
            let body = context.channel.allocator.buffer(bytes: bytes)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if !request.isKeepAlive { context.close(promise: nil) }
    }
}
