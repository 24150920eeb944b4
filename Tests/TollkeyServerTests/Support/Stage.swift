import Testing
import TollkeyCore
import TollkeySandbox

/// A sandbox, and a file with its authority's certificate.
struct Stage {
    let sandbox: Sandbox
    let folder: TemporaryFolder
    let ca: String

    /// Provider `acme`, which is Piaxis at the sandbox.
    var piaxis: ProviderSettings { piaxis(port: sandbox.port(of: .piaxis)) }

    func piaxis(port: Int) -> ProviderSettings {
        var provider = ProviderSettings.secure(port, ca: ca)
        provider.secrets = ["key": Secret(SandboxCredentials().piaxisAPIKey)]
        provider.inject = [InjectedHeader(name: "api-key", value: [.secret("key")])]
        return provider
    }

    var requests: [RecordedRequest] { sandbox.record.requests(of: .piaxis) }
}

/// Lends a sandbox, which fails the test by itself when it sees what a proxy must never send.
func withStage(
    _ options: Options = Options(), at location: SourceLocation = #_sourceLocation,
    _ body: (Stage) async throws -> Void
) async throws {
    let sandbox = try await Sandbox.start(options)
    let folder = try TemporaryFolder()
    do {
        let ca = try folder.write(sandbox.authority.pem, to: "ca.pem")
        try await body(Stage(sandbox: sandbox, folder: folder, ca: ca))
    } catch {
        try await sandbox.shutdown()
        throw error
    }
    #expect(sandbox.violations == [], sourceLocation: location)
    try await sandbox.shutdown()
}

/// Lends a scripted upstream; with `identity` over TLS.
func withScripts(
    _ scripts: [[ScriptedUpstream.Step]], identity: Identity? = nil,
    _ body: (ScriptedUpstream) async throws -> Void
) async throws {
    let upstream = try await ScriptedUpstream.start(scripts: scripts, identity: identity)
    do { try await body(upstream) } catch {
        try await upstream.shutdown()
        throw error
    }
    try await upstream.shutdown()
}
