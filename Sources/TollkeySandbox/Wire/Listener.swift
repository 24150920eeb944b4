import NIOCore
import NIOPosix
import Synchronization

/// A listening socket on 127.0.0.1 with the connections it accepted. Who makes it shuts it down.
final class Listener: Sendable {
    /// Connections at one time; one past it is closed unanswered.
    static let connectionsMax = 4_096
    private static let backlog: Int32 = 256

    /// The socket could not be opened; says which.
    struct Failure: Error, CustomStringConvertible {
        let port: Int
        let reason: String

        var description: String { "cannot listen on 127.0.0.1:\(port): \(reason)" }
    }

    let port: Int
    private let channel: any Channel
    private let children: Children

    /// - Parameter prepare: builds the pipeline of an accepted connection, on its event loop
    static func start(
        on group: MultiThreadedEventLoopGroup, port: Int,
        prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> Listener {
        let children = Children()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: backlog)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try children.add(channel)
                    try prepare(channel)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
            return Listener(channel: channel, port: channel.localAddress?.port ?? port, children: children)
        } catch {
            throw Failure(port: port, reason: "\(error)")
        }
    }

    private init(channel: any Channel, port: Int, children: Children) {
        self.channel = channel
        self.port = port
        self.children = children
    }

    /// Stops listening, then closes every connection; returns when all are closed.
    func shutdown() async {
        try? await channel.close().get()
        for child in children.all {
            child.pipeline.fireUserInboundEventTriggered(WireTap.CloseNow())
            try? await child.closeFuture.get()
        }
    }
}

/// The connections of one listener that are open.
private final class Children: Sendable {
    struct Full: Error {}

    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    var all: [any Channel] { open.withLock { Array($0.values) } }

    func add(_ channel: any Channel) throws {
        try open.withLock { open in
            guard open.count < Listener.connectionsMax else { throw Full() }
            open[ObjectIdentifier(channel)] = channel
        }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.open.withLock { $0[ObjectIdentifier(channel)] = nil }
        }
    }
}
