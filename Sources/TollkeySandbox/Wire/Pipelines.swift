import NIOCore
import NIOHTTP1
import NIOSSL

/// How connections are built, from the socket upwards.
enum Pipelines {
    /// How long a TLS farewell waits for the peer's; short, because a fault that closes should close.
    private static let farewellMilliseconds: Int64 = 250
    /// More than any head a proxy may send; the decoder's own bounds on header lines are lower.
    private static let headBytesMax = 1_024 * 1_024

    /// The server side of TLS 1.2 and 1.3. Tickets for resumption are the library's default.
    /// - Parameter authority: who must have signed the client's certificate (PEM); nil asks for none
    static func context(for identity: Identity, clientsOf authority: String? = nil) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(identity.chain.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        if let authority {
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
            configuration.certificateVerification = .noHostnameVerification
        }
        configuration.minimumTLSVersion = .tlsv12
        configuration.maximumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = .milliseconds(farewellMilliseconds)
        return try NIOSSLContext(configuration: configuration)
    }

    static func provider(_ channel: any Channel, tls: NIOSSLContext, stage: Stage) throws {
        let tap = WireTap()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([tap, NIOSSLServerHandler(context: tls)])
        try addHTTP(to: pipeline)
        try pipeline.addHandler(
            ExchangeHandler(stage: stage, tap: tap, port: channel.localAddress?.port ?? 0))
    }

    static func control(_ channel: any Channel, answer: @escaping ControlHandler.Answerer) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(WireTap())
        try addHTTP(to: pipeline)
        try pipeline.addHandler(ControlHandler(answer: answer))
    }

    private static func addHTTP(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        // The framing headers are the handlers' own: a 304 with a length, or an answer to HEAD, must stay as
        // it was written.
        var encoding = HTTPResponseEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        try pipeline.addHandlers([
            HTTPResponseEncoder(configuration: encoding),
            ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes), maximumBufferSize: headBytesMax),
            HTTPServerPipelineHandler(),
        ])
    }
}
