import NIOCore
import NIOSSL

/// Who plays what: made from the options before the first socket is opened.
struct Cast {
    /// One listener to be: its name and how its connections are built.
    struct Part {
        let name: String
        let provider: Provider?
        let prepare: @Sendable (any Channel) throws -> Void

        func endpoint(port: Int) -> Sandbox.Endpoint {
            let base = provider.map { "https://localhost:\(port)\($0.basePath)" }
            return Sandbox.Endpoint(
                name: name, url: base ?? "http://127.0.0.1:\(port)", port: port, provider: provider)
        }
    }

    static let controlName = "control"
    private static let loopbackHosts = ["localhost", "127.0.0.1", "::1"]

    let authority: CertificateAuthority
    let record = Record()
    let faults = FaultQueue()
    let plays: [Provider: any Play]
    private let options: Options

    init(_ options: Options) throws {
        self.options = options
        authority = try CertificateAuthority(commonName: "Tollkey sandbox, worth nothing")
        let credentials = options.credentials
        plays = [
            .piaxis: Piaxis(credentials: credentials, lifetimes: options.lifetimes, limits: options.limits),
            .tezpay: TezPay(credentials: credentials, lifetimes: options.lifetimes),
            .pixlpay: Pixlpay(credentials: credentials),
            .tuku: Tuku(credentials: credentials),
            .jpay: JPay(credentials: credentials, lifetimes: options.lifetimes),
        ]
    }

    func parts() throws -> [Part] {
        var parts: [Part] = []
        for provider in Provider.allCases {
            let identity = try authority.issue(hosts: Self.loopbackHosts + [provider.host])
            try add(provider.rawValue, provider, identity, isTrusted: true, to: &parts)
        }
        for certificate in WrongCertificate.allCases {
            try add(certificate.rawValue, .piaxis, identity(for: certificate), isTrusted: false, to: &parts)
        }
        let control = Control(record: record, faults: faults, plays: plays, authorityPEM: authority.pem)
        let prepare: @Sendable (any Channel) throws -> Void = { channel in
            try Pipelines.control(channel) { control.answer($0) }
        }
        parts.append(Part(name: Self.controlName, provider: nil, prepare: prepare))
        return parts
    }

    private func add(
        _ name: String, _ provider: Provider, _ identity: Identity, isTrusted: Bool, to parts: inout [Part]
    ) throws {
        guard let play = plays[provider] else { return }
        let tls = try Pipelines.context(for: identity)
        let stage = Stage(
            play: play, record: record, faults: faults, now: options.now, observe: options.observe,
            isTrusted: isTrusted)
        parts.append(
            Part(name: name, provider: provider) { channel in
                try Pipelines.provider(channel, tls: tls, stage: stage)
            })
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
