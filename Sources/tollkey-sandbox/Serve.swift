import ArgumentParser
import TollkeySandbox

/// The five providers, until a signal ends them.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play the providers and print one line per request.",
        discussion: """
            Ask for a fault with the request header X-Sandbox-Fault: NAME[=VALUE], or arm it for the next \
            calls with POST /faults/PROVIDER?fault=NAME[=VALUE]&count=N on the control listener.
            """)

    /// Ports are sixteen bits, and the last listener needs one too.
    private static let portBaseMax = 65_000

    @Option(help: "Where ca.pem is written.")
    var directory = "./sandbox"

    @Option(help: "The first port; the others follow it. 0 takes free ones.")
    var portBase = 19_600

    @Flag(help: "Print no line per request.")
    var quiet = false

    func validate() throws {
        guard (0...Self.portBaseMax).contains(portBase) else {
            throw ValidationError("--port-base is 0 to \(Self.portBaseMax)")
        }
    }

    func run() async throws {
        let signals = Signals()
        var options = Options()
        options.portBase = portBase
        if !quiet { options.observe = { Console.write(Self.line(for: $0)) } }
        let sandbox = try await Sandbox.start(options)
        let path = directory + "/ca.pem"
        try PublicFile.write(sandbox.authority.pem, to: path)
        Console.write("certificate authority: \(path)")
        for endpoint in sandbox.endpoints {
            Console.write(Self.line(for: endpoint, credentials: options.credentials))
        }
        Console.write("ready")
        await signals.wait()
        try await sandbox.shutdown()
    }

    private static func line(for exchange: Exchange) -> String {
        let status = exchange.status.map(String.init) ?? "no answer"
        return "\(exchange.provider.rawValue) \(exchange.method) \(exchange.path) \(status)"
    }

    private static func line(for endpoint: Sandbox.Endpoint, credentials: SandboxCredentials) -> String {
        let wants = endpoint.provider.map(credentials.summary(of:)) ?? "nothing, see / for its paths"
        return "\(endpoint.name)\t\(endpoint.url)\twants \(wants)"
    }
}
