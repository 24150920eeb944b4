import TollkeySandbox

/// What the proxy is started with: a configuration that names secrets, and an environment that holds them.
struct DemoFiles: Sendable {
    let directory: String
    let listen: LoopbackAddress
    /// nil: there is no admin listener.
    let admin: LoopbackAddress?
    let credentials: SandboxCredentials

    var configuration: String { directory + "/proxy.yaml" }
    /// For a person's own `tollkey explain`.
    var secrets: String { directory + "/secrets.env" }

    func write(for sandbox: Sandbox) throws {
        try PublicFile.write(sandbox.authority.pem, to: directory + "/ca.pem")
        try PublicFile.write(yaml(for: sandbox), to: configuration)
        let lines = environment.map { "\($0.name)=\($0.value)\n" }.joined()
        try PublicFile.write(lines, to: secrets, mode: 0o600)
    }

    var environment: [(name: String, value: String)] {
        [
            ("PIAXIS_API_KEY", credentials.piaxisAPIKey),
            ("TEZPAY_CLIENT_ID", credentials.tezpayClientID),
            ("TEZPAY_CLIENT_SECRET", credentials.tezpayClientSecret),
            ("PIXLPAY_API_TOKEN", credentials.pixlpayToken),
            ("TUKU_API_KEY", credentials.tukuAPIKey),
            ("TUKU_APP_ID", credentials.tukuAppID),
            ("JPAY_APP_KEY", credentials.jpayAppKey),
            ("JPAY_APP_SECRET", credentials.jpayAppSecret),
        ]
    }

    private func yaml(for sandbox: Sandbox) -> String {
        """
        # Written by `tollkey-sandbox demo`, each time anew. The upstreams are the sandbox's own listeners; with
        # real ones, `upstream` and `tls` are not needed where the description has an address.
        listen: "\(listen)"
        \(admin.map { "admin: \"\($0)\"" } ?? "# admin: 127.0.0.1:9180")
        # Tokens that were obtained, sealed; made anew with each demo.
        state: state

        timeouts:
          drain: 2s

        # One line for each call that fails at the provider's side, none for the others.
        log:
          level: warning

        providers:
        \(Provider.shipped.map { provider($0, at: sandbox.url(of: $0)) }.joined(separator: "\n\n"))

        """
    }

    private func provider(_ provider: Provider, at url: String) -> String {
        let secrets = Self.secrets(of: provider).map { "      \($0): ${env:\($1)}" }
        return """
              \(provider.rawValue):
                use: \(provider.rawValue)
                upstream: \(url)
                tls: { ca: ca.pem }
                secrets:
            \(secrets.joined(separator: "\n"))
            """
    }

    /// The name in the shipped description, and the variable.
    private static func secrets(of provider: Provider) -> [(String, String)] {
        switch provider {
        case .piaxis: [("api_key", "PIAXIS_API_KEY")]
        case .tezpay: [("client_id", "TEZPAY_CLIENT_ID"), ("client_secret", "TEZPAY_CLIENT_SECRET")]
        case .pixlpay: [("api_token", "PIXLPAY_API_TOKEN")]
        case .tuku: [("api_key", "TUKU_API_KEY"), ("app_id", "TUKU_APP_ID")]
        case .jpay: [("app_key", "JPAY_APP_KEY"), ("app_secret", "JPAY_APP_SECRET")]
        case .acme: []
        }
    }
}
