import NIOCore
import NIOHTTP1
import NIOPosix

/// Calls the proxy as an application would: plain HTTP/1.1, one connection per call.
struct ProxyClient: Sendable {
    let address: LoopbackAddress

    /// What came back, the provider's or the proxy's.
    struct Reply: Sendable {
        var status = 0
        var reason = ""
        var headers: [(name: String, value: String)] = []
        var body = ""

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    enum Failure: Error, CustomStringConvertible {
        case noReply
        case late

        var description: String {
            switch self {
            case .noReply: "the proxy closed the connection without an answer"
            case .late: "the proxy did not answer in time"
            }
        }
    }

    private static let replyTime = TimeAmount.seconds(10)
    private static let bodyBytesMax = 64 * 1_024

    func send(_ call: DemoCall) async throws -> Reply {
        let group = MultiThreadedEventLoopGroup.singleton
        let reply = group.next().makePromise(of: Reply.self)
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(
                    Collector(reply: reply, bodyBytesMax: Self.bodyBytesMax))
            }
        }
        let channel: any Channel
        do { channel = try await bootstrap.connect(host: address.host, port: address.port).get() } catch {
            reply.fail(error)
            throw error
        }
        let timer = channel.eventLoop.scheduleTask(in: Self.replyTime) { reply.fail(Failure.late) }
        var head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: call.method), uri: call.target)
        for (name, value) in call.headers(to: address) { head.headers.add(name: name, value: value) }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body = call.body {
            let bytes = channel.allocator.buffer(string: body)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(bytes)), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        let result: Result<Reply, any Error>
        do { result = .success(try await reply.futureResult.get()) } catch { result = .failure(error) }
        timer.cancel()
        channel.close(promise: nil)
        return try result.get()
    }
}

/// Gathers one answer.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let reply: EventLoopPromise<ProxyClient.Reply>
    private let bodyBytesMax: Int
    private var gathered = ProxyClient.Reply()

    init(reply: EventLoopPromise<ProxyClient.Reply>, bodyBytesMax: Int) {
        self.reply = reply
        self.bodyBytesMax = bodyBytesMax
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            gathered.status = Int(head.status.code)
            gathered.reason = head.status.reasonPhrase
            gathered.headers = head.headers.map { ($0.name, $0.value) }
        case .body(let piece):
            if gathered.body.utf8.count < bodyBytesMax { gathered.body += String(buffer: piece) }
        case .end:
            // The end of an interim answer is none.
            if gathered.status >= 200 { reply.succeed(gathered) }
        }
    }

    // Each after the answer changes nothing any more.
    func channelInactive(context: ChannelHandlerContext) {
        reply.fail(ProxyClient.Failure.noReply)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reply.fail(error)
        context.close(promise: nil)
    }
}
