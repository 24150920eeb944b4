import NIOCore
import NIOSSL

/// Who plays what: made from the options before the first socket is opened.
struct Cast {
    /// One listener to be: its name and how its connections are built.
    struct Part {
        let name: String
        /// Nil for the control listener.
        let stage: Stage?
        let prepare: @Sendable (any Channel) throws -> Void

        func endpoint(port: Int) -> Sandbox.Endpoint {
            let base = stage.map { "https://localhost:\(port)\($0.basePath)" }
            return Sandbox.Endpoint(
                name: name, url: base ?? "http://127.0.0.1:\(port)", port: port, provider: stage?.provider)
        }
    }

    static let controlName = "control"
    /// Acme's paths without its base path, as the host of a token endpoint has them.
    static let acmeTokensName = "acme-tokens"
    /// Acme for clients that show a certificate of the sandbox's authority.
    static let acmeClientsName = "acme-clients"
    private static let loopbackHosts = ["localhost", "127.0.0.1", "::1"]

    let authority: CertificateAuthority
    let record: Record
    let faults = FaultQueue()
    let plays: [Provider: any Play]
    private let options: Options

    init(_ options: Options) throws {
        self.options = options
        record = Record(tolerating: options.tolerated)
        authority = try CertificateAuthority(commonName: "Tollkey sandbox, worth nothing")
        let credentials = options.credentials
        plays = [
            .piaxis: Piaxis(credentials: credentials, lifetimes: options.lifetimes, limits: options.limits),
            .tezpay: TezPay(credentials: credentials, lifetimes: options.lifetimes),
            .pixlpay: Pixlpay(credentials: credentials),
            .tuku: Tuku(credentials: credentials, needsRequestToken: options.tukuNeedsRequestToken),
            .jpay: JPay(credentials: credentials, lifetimes: options.lifetimes),
            .acme: Acme(credentials: credentials, lifetimes: options.lifetimes),
        ]
    }

    func parts() throws -> [Part] {
        var parts: [Part] = []
        for provider in Provider.shipped {
            try add(provider.rawValue, provider, identity(for: provider), to: &parts)
        }
        for certificate in WrongCertificate.allCases {
            try add(certificate.rawValue, .piaxis, identity(for: certificate), isTrusted: false, to: &parts)
        }
        let control = Control(record: record, faults: faults, plays: plays, authorityPEM: authority.pem)
        let prepare: @Sendable (any Channel) throws -> Void = { channel in
            try Pipelines.control(channel) { control.answer($0) }
        }
        parts.append(Part(name: Self.controlName, stage: nil, prepare: prepare))
        let acme = try identity(for: .acme)
        try add(Provider.acme.rawValue, .acme, acme, to: &parts)
        try add(Self.acmeTokensName, .acme, acme, basePath: "", to: &parts)
        try add(Self.acmeClientsName, .acme, acme, asksForCertificate: true, to: &parts)
        return parts
    }

    private func add(
        _ name: String, _ provider: Provider, _ identity: Identity, basePath: String? = nil,
        isTrusted: Bool = true, asksForCertificate: Bool = false, to parts: inout [Part]
    ) throws {
        guard let play = plays[provider] else { return }
        let tls = try Pipelines.context(for: identity, clientsOf: asksForCertificate ? authority.pem : nil)
        let stage = Stage(
            play: play, basePath: basePath ?? provider.basePath, record: record, faults: faults,
            now: options.now, observe: options.observe, isTrusted: isTrusted)
        parts.append(
            Part(name: name, stage: stage) { channel in
                try Pipelines.provider(channel, tls: tls, stage: stage)
            })
    }

    private func identity(for provider: Provider) throws -> Identity {
        try authority.issue(hosts: Self.loopbackHosts + [provider.host])
    }

    private func identity(for certificate: WrongCertificate) throws -> Identity {
        let hosts = Self.loopbackHosts + [Provider.piaxis.host]
        switch certificate {
        case .expired: return try authority.issue(hosts: hosts, validity: .expired)
        case .notYetValid: return try authority.issue(hosts: hosts, validity: .notYetValid)
        case .wrongHost: return try authority.issue(hosts: ["elsewhere.sandbox.test"])
        case .unknownAuthority:
            return try CertificateAuthority(commonName: "An authority nobody knows").issue(hosts: hosts)
        }
    }
}
