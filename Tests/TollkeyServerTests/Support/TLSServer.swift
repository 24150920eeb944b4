import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TollkeySandbox

/// A server with TLS settings that the sandbox has not: asks for a client certificate, or speaks TLS 1.2 only.
/// Answers the first bytes of each connection with `ok()`.
final class TLSServer: Sendable {
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let received: Received

    private final class Received: Sendable { let hasSome = Mutex(false) }

    /// Whether a byte of a call has arrived.
    var hasReceived: Bool { received.hasSome.withLock { $0 } }
    var port: Int { channel.localAddress?.port ?? 0 }

    /// - Parameter clientsOf: the authority (PEM) that must have signed the client's certificate; nil asks for none
    static func start(
        _ identity: Identity, clientsOf authority: String? = nil, speaksOnlyTLS12: Bool = false
    ) async throws -> TLSServer {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(identity.chain.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)))
        if let authority {
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
            configuration.certificateVerification = .noHostnameVerification
        }
        if speaksOnlyTLS12 { configuration.maximumTLSVersion = .tlsv12 }
        let context = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let received = Received()
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), Answerer(received),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSServer(channel, group, received)
    }

    private init(_ channel: any Channel, _ group: MultiThreadedEventLoopGroup, _ received: Received) {
        self.channel = channel
        self.group = group
        self.received = received
    }

    func shutdown() async throws {
        try await channel.close().get()
        try await group.shutdownGracefully()
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let received: Received

        init(_ received: Received) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.hasSome.withLock { $0 = true }
            let answer = context.channel.allocator.buffer(string: ok())
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
