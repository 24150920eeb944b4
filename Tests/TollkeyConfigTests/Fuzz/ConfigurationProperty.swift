import TollkeyConfig
import TollkeyCore

/// A configuration file, for `make fuzz` and the tests of what is kept in `fuzz/corpus/config`.
///
/// It is read, or there are problems, each with its place; no secret is in them. What is read is within its bounds, can be
/// served, and is the same when it is read again.
enum ConfigurationProperty {
    /// Nothing that chance comes upon.
    private static let secret = "hunter2+hunter2+hunter2+hunter2+"

    /// What does not hold; nil when all does.
    static func fault(_ input: [UInt8]) -> String? {
        let reader = ConfigurationReader(
            file: "f", directory: "/d", literalsAllowed: input.count % 2 == 0, credentialsDirectory: "/c",
            secrets: { _ in .success(Secret(secret)) })
        _ = ConfigurationReader.adminListeners(in: input)
        _ = reader.readState(input)
        switch reader.read(input) {
        case .failure(let problems): return fault(problems)
        case .success(let settings):
            guard case .success(let again) = reader.read(input), again == settings else {
                return "it is another when read again"
            }
            return fault(settings)
        }
    }

    private static func fault(_ problems: ConfigurationProblems) -> String? {
        if problems.list.isEmpty || problems.list.count > Bounds.problems {
            return "there are no problems, or too many"
        }
        for problem in problems.list {
            if problem.position.line < 1 || problem.position.column < 1 { return "a problem is nowhere" }
            if problem.description.contains(secret) { return "a problem has a secret in it" }
            if problem.description.utf8.contains(where: { $0 < 0x20 }) {
                return "a problem is no line: \(problem)"
            }
        }
        return nil
    }

    private static func fault(_ settings: Settings) -> String? {
        if settings.listeners.isEmpty || settings.providers.count > Settings.providersMax {
            return "a bound is passed"
        }
        let routes = settings.providers.map(\.route)
        if Set(routes).count < routes.count { return "two providers have one route" }
        for provider in settings.providers {
            if let wrong = fault(provider) { return "\(provider.name): \(wrong)" }
        }
        let head: [UInt8] = Array("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        var request = RequestHead()
        guard (try? request.read(head.span, limits: ClientLimits())) == true else {
            return "the request is none"
        }
        _ = Admission(settings, hostNames: []).decide(request, head.span, peer: nil)
        return nil
    }

    private static func fault(_ provider: ProviderSettings) -> String? {
        if !provider.route.hasPrefix("/") || provider.route.hasSuffix("/") {
            return "its route is \(provider.route)"
        }
        let base = provider.upstream.basePath
        if !base.isEmpty, !base.hasPrefix("/") || base.hasSuffix("/") { return "its base is \(base)" }
        if !(1...65_535).contains(provider.upstream.port) { return "its port is \(provider.upstream.port)" }
        for header in provider.inject + provider.defaults {
            if header.name.isEmpty || !header.name.utf8.allSatisfy(Characters.isToken) {
                return "a header has no name"
            }
            for case .text(let text) in header.value where !text.utf8.allSatisfy(Characters.isFieldValue) {
                return "a header has a control character in it"
            }
        }
        for category in provider.categories {
            if category.limits.contains(where: { !LimitSettings.countRange.contains($0.count) }) {
                return "a limit is out of bounds"
            }
        }
        _ = CategoryTable(provider.categories)
        _ = ResponseRewriter(provider)
        return forwardingFault(provider)
    }

    /// A call is sent on as one that can be read, whatever is injected; where nothing is computed.
    private static func forwardingFault(_ provider: ProviderSettings) -> String? {
        let head: [UInt8] = Array("GET \(provider.route)/a HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        var limits = ClientLimits()
        (limits.head, limits.headers, limits.target) = (1 << 20, 1_000, 1 << 16)
        var request = RequestHead()
        guard (try? request.read(head.span, limits: limits)) == true else { return "its route is no path" }
        let headers = provider.inject + provider.defaults
        let isPlain = headers.flatMap(\.value).allSatisfy { if case .text = $0 { true } else { false } }
        guard isPlain else { return nil }
        let out = Buffer(capacity: 512)
        let credential = CredentialSnapshot(generation: 1, headers: provider.inject, secrets: [:])
        try? RequestRewriter(provider, pseudonym: "p").write(
            request, head.span, prefixLength: provider.route.utf8.count, credential: credential, into: out)
        let sent = Array(out.readable)
        var again = RequestHead()
        guard (try? again.read(sent.span, limits: limits)) == true, again.end == sent.count else {
            return "a call is sent on as nonsense"
        }
        return nil
    }
}
