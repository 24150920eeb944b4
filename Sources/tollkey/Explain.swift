import ArgumentParser
import TollkeyCore
import TollkeyServer

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which provider, rule and headers a call would get.",
        discussion: "Asks the configuration, not the daemon; nothing is sent. Secrets are masked.")

    @OptionGroup var file: ConfigurationFile

    @Argument(help: "As in a request: GET, POST, …")
    var method: String

    @Argument(help: "As the client would ask for it: /piaxis/api/payments/create")
    var path: String

    func run() throws {
        let settings = try file.settings()
        let request = Array("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        var head = RequestHead()
        do throws(HeadError) {
            guard try head.read(request.span, limits: settings.limits) else {
                throw .malformed("a method or path with a line end")
            }
        } catch { return try refuse(Failure(error)) }
        switch Admission(settings, hostNames: []).decide(head, request.span, peer: nil) {
        case .refused(let failure, let route):
            if let route, settings.providers[route].peers != nil, failure.kind == .forbiddenPeer {
                print("Only callers that 'peers' names, over a unix socket, would get through.")
            }
            try refuse(failure)
        case .admitted(let match):
            describe(settings.providers[match.route], match, head, request)
        }
    }

    private func refuse(_ failure: Failure) throws {
        print("refused   \(failure.kind.row.status) \(failure.kind.rawValue)")
        print("because   \(failure.detail)")
        throw ExitCode.failure
    }

    private func describe(
        _ provider: ProviderSettings, _ match: RouteTable.Match, _ head: borrowing RequestHead,
        _ request: [UInt8]
    ) {
        let url = provider.upstream
        print("provider  \(provider.name), by its route \(provider.route)")
        print("upstream  \(url.scheme.rawValue)://\(url.authority)\(url.basePath)")
        if !provider.addresses.isEmpty {
            print(
                "          at \(provider.addresses.map { "\($0.host) port \($0.port)" }.joined(separator: ", "))"
            )
        }
        print("allowed   by \(allowedBy(provider, match, head, request))")
        for line in category(provider, match, head, request) { print(line) }
        print("")
        print("The head that goes to the provider, for a client that sends only Host:")
        print("")
        for line in masked(provider, match, head, request).split(separator: "\r\n") { print("    \(line)") }
        if !provider.pass.isEmpty {
            print("")
            print("Of the client's own, \(provider.pass.joined(separator: ", ")) may pass besides.")
        }
    }

    private func allowedBy(
        _ provider: ProviderSettings, _ match: RouteTable.Match, _ head: borrowing RequestHead,
        _ request: [UInt8]
    ) -> String {
        guard let allow = provider.allow else { return "default: the provider has no 'allow'" }
        let bytes = request.span
        let path = bytes.extracting(head.target.path)
        let index = allow.firstIndex {
            Admission.matches($0, method: bytes.extracting(head.method), path: path, match)
        }
        return index.map { "pattern \($0 + 1) of 'allow'" } ?? "'allow'"
    }

    /// What `RequestRewriter` writes, with `<secret>` for every secret and every token.
    private func masked(
        _ provider: ProviderSettings, _ match: RouteTable.Match, _ head: borrowing RequestHead,
        _ request: [UInt8]
    ) -> String {
        var provider = provider
        let mask = Secret(Secret("").description)
        provider.secrets = provider.secrets.mapValues { _ in mask }
        var tokens: [String: Secret] = [:]
        for credential in provider.credentials {
            tokens[credential.name] = mask
            for value in credential.read.values { tokens["\(credential.name).\(value.name)"] = mask }
        }
        let out = Buffer(capacity: 4 << 10)
        do throws(RenderingError) {
            let snapshot = try CredentialSnapshot(
                generation: 0, provider: provider, secrets: provider.secrets, credentials: tokens,
                cryptography: SystemCryptography())
            try RequestRewriter(provider, pseudonym: "tollkey").write(
                head, request.span, prefixLength: match.prefixLength, credential: snapshot,
                occasion: Occasion(now: Clock.system.now.wall, content: Secret("")), into: out)
        } catch {
            return "It cannot be shown without the secrets themselves: \(error.words)."
        }
        return String(decoding: out.readable, as: UTF8.self)
    }
}
