import Synchronization
import Testing
import TollkeyConfig
import TollkeyCore
import TollkeySandbox
import TollkeyServer

/// The sandbox and a proxy before it, both on one clock that stands still.
final class CredentialStage: Sendable {
    let sandbox: Sandbox
    let folder: TemporaryFolder
    private let stateFolder: StateFolder
    let clock: ManualClock
    let ca: String
    let log = LogBook()

    init(_ sandbox: Sandbox, _ clock: ManualClock) throws {
        self.sandbox = sandbox
        self.clock = clock
        folder = try TemporaryFolder()
        stateFolder = try StateFolder()
        ca = try folder.write(sandbox.authority.pem, to: "ca.pem")
    }

    var state: String { stateFolder.path }

    /// `lines` are a provider's own, besides its address and trust.
    func settings(_ provider: Provider, _ lines: String, secrets: [String: String] = [:]) throws -> Settings {
        try settings(
            """
              \(provider.rawValue):
                use: \(provider.rawValue)
                upstream: \(sandbox.url(of: provider))
                tls: { ca: \(ca) }
            \(lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
            """, secrets)
    }

    func settings(_ providers: String, _ secrets: [String: String]) throws -> Settings {
        let text = "listen: 127.0.0.1:0\nstate: \(state)\nproviders:\n\(providers)\n"
        let reader = ConfigurationReader(file: "proxy.yaml") { reference in
            switch reference {
            case .environment(let name):
                return secrets[name].map { .success(Secret($0)) } ?? .failure(SecretFailure("is not known"))
            case .file(let path):
                guard let secret = try? SmallFile.secret(at: path) else {
                    return .failure(SecretFailure("cannot be read"))
                }
                return .success(secret)
            case .credential: return .failure(SecretFailure("is not known"))
            }
        }
        return try reader.read(Array(text.utf8)).get()
    }

    var jpay: Settings {
        get throws {
            let credentials = SandboxCredentials()
            return try settings(
                .jpay, "secrets: { app_key: \"${env:K}\", app_secret: \"${env:S}\" }",
                secrets: ["K": credentials.jpayAppKey, "S": credentials.jpayAppSecret])
        }
    }

    var tezpay: Settings {
        get throws {
            let credentials = SandboxCredentials()
            return try settings(
                .tezpay, "secrets: { client_id: \"${env:I}\", client_secret: \"${env:S}\" }",
                secrets: ["I": credentials.tezpayClientID, "S": credentials.tezpayClientSecret])
        }
    }

    func proxy(_ settings: Settings) throws -> Proxy { try Proxy(settings, clock: clock, log: log) }
}

/// Lends the stage, whose sandbox fails the test by itself when it sees what must never be sent.
func withCredentialStage(
    _ options: Options = Options(), _ body: (CredentialStage) async throws -> Void
) async throws {
    let clock = ManualClock()
    var options = options
    options.now = { clock.seconds }
    try await withStage(options) { stage in
        try await body(try CredentialStage(stage.sandbox, clock))
    }
}
