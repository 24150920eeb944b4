import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Stands next to the socket, below TLS: sees whether the handshake resumed, and can end the connection
/// without a TLS farewell.
final class WireTap: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// Fired into the pipeline by whoever stops a listener.
    struct CloseNow: Sendable {}

    /// Known once the server's first flight is out; a request can only come later.
    private(set) var isResumed = false
    private var hasSeenHello = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if !hasSeenHello {
            hasSeenHello = true
            isResumed = ServerHello.isResumption(unwrapOutboundIn(data))
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is CloseNow { return closeNow(isReset: false) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Closes the socket at once, with a RST when `isReset`.
    func closeNow(isReset: Bool) {
        guard let context else { return }
        if isReset, let options = context.channel as? any SocketOptionProvider {
            // Lingering for zero seconds makes close(2) answer the peer with RST (socket(7)).
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        context.close(mode: .all, promise: nil)
    }
}
