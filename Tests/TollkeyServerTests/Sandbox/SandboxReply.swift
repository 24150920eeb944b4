import NIOCore
import NIOPosix
import NIOSSL
import TollkeySandbox

/// All that came back on a connection that carried one call.
struct SandboxReply {
    /// 0 when nothing came.
    let status: Int
    let head: String
    let text: String

    /// The first text or number of that name in the content, wherever it stands.
    func member(_ name: String) -> String {
        let parts = text.split(separator: "\"\(name)\":", maxSplits: 1)
        guard parts.count == 2 else { return "" }
        return parts[1].first == "\""
            ? String(parts[1].dropFirst().prefix { $0 != "\"" })
            : String(parts[1].prefix { !",}]".contains($0) })
    }

    func header(_ name: String) -> String {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix(name.lowercased() + ": ")
        {
            return String(line.dropFirst(name.count + 2))
        }
        return ""
    }

    static func to(
        _ method: String, _ target: String, port: Int, trusting authority: CertificateAuthority,
        _ fields: String = "", content: String = "", showing identity: Identity? = nil
    ) async throws -> SandboxReply {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.pem.utf8)))
        if let identity {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.chain.utf8)).map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
        }
        let context = try NIOSSLContext(configuration: tls)
        return try await send(
            request(method, target, host: "localhost:\(port)", fields, content), to: port, tls: context)
    }

    /// To the control listener.
    static func control(_ method: String, _ target: String, of sandbox: Sandbox) async throws -> SandboxReply
    {
        let port = sandbox.controlPort
        return try await send(request(method, target, host: "127.0.0.1", "", ""), to: port, tls: nil)
    }

    private static func request(
        _ method: String, _ target: String, host: String, _ fields: String, _ content: String
    ) -> String {
        let length = content.isEmpty ? "" : "Content-Length: \(content.utf8.count)\r\n"
        let head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\(fields)\(length)"
        return head + "\r\n" + content
    }

    private static func send(_ request: String, to port: Int, tls: NIOSSLContext?) async throws
        -> SandboxReply
    {
        let group = MultiThreadedEventLoopGroup.singleton
        let promise = group.next().makePromise(of: [UInt8].self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        try channel.pipeline.syncOperations.addHandler(Collector(promise))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
        let answer = String(decoding: try await promise.futureResult.get(), as: UTF8.self)
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let words = answer.split(separator: " ")
        return SandboxReply(
            status: words.count > 1 ? Int(words[1]) ?? 0 : 0, head: String(parts.first ?? ""),
            text: parts.count > 1 ? String(parts[1]) : "")
    }

    /// Keeps what comes until the connection ends, however it does.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(bytes) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
