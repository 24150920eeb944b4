import NIOCore
import NIOPosix

/// The providers on loopback, over TLS, with a certificate authority of their own.
///
/// Whoever starts one shuts it down; until then it holds threads and ports.
package final class Sandbox: Sendable {
    /// One listener, as shown to people.
    package struct Endpoint: Sendable {
        package let name: String
        package let url: String
        package let port: Int
        /// Nil for the control listener.
        package let provider: Provider?
    }

    package let authority: CertificateAuthority
    package let record: Record
    /// In the order of their ports: the five providers, wrong certificates, control, Acme's.
    package let endpoints: [Endpoint]
    private let faults: FaultQueue
    let plays: [Provider: any Play]
    let stages: [(port: Int, stage: Stage)]
    private let group: MultiThreadedEventLoopGroup
    private let listeners: [Listener]

    package var violations: [Violation] { record.violations }

    private init(
        cast: Cast, endpoints: [Endpoint], stages: [(port: Int, stage: Stage)],
        group: MultiThreadedEventLoopGroup, listeners: [Listener]
    ) {
        self.stages = stages
        authority = cast.authority
        record = cast.record
        faults = cast.faults
        plays = cast.plays
        self.endpoints = endpoints
        self.group = group
        self.listeners = listeners
    }

    package static func start(_ options: Options = Options()) async throws -> Sandbox {
        let cast = try Cast(options)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        var listeners: [Listener] = []
        var endpoints: [Endpoint] = []
        var stages: [(port: Int, stage: Stage)] = []
        do {
            for part in try cast.parts() {
                let port = options.portBase == 0 ? 0 : options.portBase + listeners.count
                let listener = try await Listener.start(on: group, port: port, prepare: part.prepare)
                listeners.append(listener)
                endpoints.append(part.endpoint(port: listener.port))
                if let stage = part.stage { stages.append((listener.port, stage)) }
            }
        } catch {
            for listener in listeners { await listener.shutdown() }
            try? await group.shutdownGracefully()
            throw error
        }
        return Sandbox(
            cast: cast, endpoints: endpoints, stages: stages, group: group, listeners: listeners)
    }

    package func port(of provider: Provider) -> Int { port(named: provider.rawValue) }

    package func port(of certificate: WrongCertificate) -> Int { port(named: certificate.rawValue) }

    package var controlPort: Int { port(named: Cast.controlName) }

    /// The provider's base URL, base path included, as a configuration's `upstream` wants it.
    package func url(of provider: Provider) -> String { endpoint(named: provider.rawValue)?.url ?? "" }

    /// Acme's address for token calls, on a host of their own: without its base path.
    package var acmeTokensURL: String { endpoint(named: Cast.acmeTokensName)?.url ?? "" }

    /// Acme's base URL for clients that show a certificate: one that `authority` has issued, for clients.
    package var acmeClientsURL: String { endpoint(named: Cast.acmeClientsName)?.url ?? "" }

    /// Arms a fault for the next `count` requests whose target begins with `path` (base path included); nil is
    /// until it is disarmed.
    /// - Returns: false when too many are armed or the count is out of bounds
    @discardableResult
    package func arm(_ fault: Fault, on provider: Provider, count: Int? = 1, path: String = "") -> Bool {
        faults.arm(fault, on: provider, count: count, pathPrefix: path)
    }

    /// - Parameter provider: nil is every one
    package func disarm(_ provider: Provider? = nil) { faults.disarm(provider) }

    /// Closes every listener and connection, then ends the threads.
    package func shutdown() async throws {
        for listener in listeners { await listener.shutdown() }
        try await group.shutdownGracefully()
    }

    package func url(of certificate: WrongCertificate) -> String {
        endpoint(named: certificate.rawValue)?.url ?? ""
    }

    private func port(named name: String) -> Int { endpoint(named: name)?.port ?? 0 }

    private func endpoint(named name: String) -> Endpoint? { endpoints.first { $0.name == name } }
}
