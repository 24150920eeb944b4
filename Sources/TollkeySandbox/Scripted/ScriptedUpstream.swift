import NIOCore
import NIOPosix
import NIOSSL

/// A raw server on 127.0.0.1 that does exactly what a script says, below any HTTP codec, and keeps every
/// byte.
///
/// Connections are numbered from 0 in the order of their acceptance; each follows the script of its number,
/// those beyond the list the last one. After its last step a connection stays open and receives.
package final class ScriptedUpstream: Sendable {
    /// Bytes kept per connection; what comes after is counted only.
    package static let receivedBytesMax = 16 * 1_024 * 1_024
    /// Connections in one life; one past it is closed unanswered.
    package static let connectionsMax = 4_096

    package let port: Int
    private let listener: Listener
    private let group: MultiThreadedEventLoopGroup
    private let state: Watched<State>

    struct Full: Error {}

    struct State: Sendable {
        var connections: [Connection] = []
    }

    struct Connection: Sendable {
        var bytes: [UInt8] = []
        var byteCount = 0
        /// The script's last step was done, or the connection ended before it.
        var isFinished = false
        var isClosed = false
    }

    /// - Parameter identity: what it shows over TLS; nil for plain TCP
    package static func start(
        scripts: [[Step]], identity: Identity? = nil
    ) async throws -> ScriptedUpstream {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let state = Watched(State())
        do {
            let tls = try identity.map { try Pipelines.context(for: $0) }
            let listener = try await Listener.start(on: group, port: 0) { channel in
                let number = try Self.register(in: state)
                let script = number < scripts.count ? scripts[number] : scripts.last ?? []
                let tap = WireTap()
                try channel.pipeline.syncOperations.addHandler(tap)
                if let tls {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                }
                try channel.pipeline.syncOperations.addHandler(
                    ScriptHandler(script: script, number: number, state: state, tap: tap))
            }
            return ScriptedUpstream(listener: listener, group: group, state: state)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private init(listener: Listener, group: MultiThreadedEventLoopGroup, state: Watched<State>) {
        self.listener = listener
        self.group = group
        self.state = state
        port = listener.port
    }

    /// Connections accepted so far, those of failed TLS handshakes included.
    package var connectionsAccepted: Int { state.read { $0.connections.count } }

    /// Returns when `count` connections were accepted in all.
    package func accepted(_ count: Int) async throws {
        try await state.wait { $0.connections.count >= count }
    }

    /// All bytes of the connection, once its script is done or it ended. With `.stall` as a step: once it
    /// ended.
    package func received(connection: Int) async throws -> [UInt8] {
        try await bytes(of: connection) { $0.isFinished }
    }

    /// The bytes of the connection so far, once there are `count` or it ended.
    package func received(connection: Int, atLeast count: Int) async throws -> [UInt8] {
        try await bytes(of: connection) { $0.byteCount >= count || $0.isClosed }
    }

    /// The bytes of the connection so far, once they contain `text` or it ended.
    package func received(connection: Int, containing text: String) async throws -> [UInt8] {
        let wanted = Array(text.utf8)
        return try await bytes(of: connection) { $0.isClosed || $0.bytes.firstRange(of: wanted) != nil }
    }

    /// Returns when the connection is closed, by whichever side.
    package func closed(connection: Int) async throws {
        _ = try await bytes(of: connection) { $0.isClosed }
    }

    /// What has arrived on the connection until now, without waiting.
    package func receivedSoFar(connection: Int) -> [UInt8] {
        state.read { $0.connections.count > connection ? $0.connections[connection].bytes : [] }
    }

    package func shutdown() async throws {
        await listener.shutdown()
        try await group.shutdownGracefully()
    }

    private static func register(in state: Watched<State>) throws -> Int {
        let number: Int? = state.update { state in
            guard state.connections.count < connectionsMax else { return nil }
            state.connections.append(Connection())
            return state.connections.count - 1
        }
        guard let number else { throw Full() }
        return number
    }

    private func bytes(
        of number: Int, when isReady: @escaping @Sendable (Connection) -> Bool
    ) async throws -> [UInt8] {
        try await state.wait { $0.connections.count > number && isReady($0.connections[number]) }
        return receivedSoFar(connection: number)
    }
}
