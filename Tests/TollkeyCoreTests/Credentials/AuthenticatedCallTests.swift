import Testing
import TollkeyCore

/// Calls of the proxy's own that go with the provider's headers.
struct AuthenticatedCallTests {
    private func authenticated(
        _ settings: CallSettings, _ provider: ProviderSettings
    ) throws -> RenderedCall {
        let cryptography = FakeCryptography()
        let snapshot = try CredentialSnapshot(
            generation: 1, provider: provider, secrets: provider.secrets, cryptography: cryptography)
        var filler = TemplateFiller(
            ValuePlan(provider.values), secrets: provider.secrets, credentials: [:],
            cryptography: cryptography)
        var call = try filler.render(settings, for: provider)
        try snapshot.authenticate(&call, upstream: provider.upstream, now: 5_000)
        return call
    }

    private func lines(_ call: RenderedCall) -> [String] {
        call.headers.map { "\($0.name): \($0.value.shown)" }
    }

    @Test func `what is injected is set, a default only when the call has none`() throws {
        let provider = acme(base: "/v1") {
            $0.secrets = ["k": Secret("key")]
            $0.inject = [InjectedHeader(name: "X-Key", value: template("${secret.k}"))]
            $0.defaults = [
                InjectedHeader("Accept", "a"), InjectedHeader("Content-Type", "text/plain"),
                InjectedHeader("X-App", "7"),
            ]
            $0.injectQuery = [NamedTemplate(name: "v", value: template("2"))]
        }
        var settings = CallSettings(method: "POST", place: .upstream(path: template("/probe")))
        settings.query = [
            NamedTemplate(name: "v", value: template("1")), NamedTemplate(name: "w", value: []),
        ]
        settings.headers = [InjectedHeader("accept", "mine"), InjectedHeader("x_key", "mine")]
        settings.content = .json(.object([]))
        let call = try authenticated(settings, provider)
        #expect(call.target.shown == "/v1/probe?w=&v=2")
        #expect(lines(call) == ["accept: mine", "X-App: 7", "X-Key: key"])
        #expect(call.contentType == "application/json")
    }

    @Test func `a call is signed as a forwarded one is`() throws {
        let provider = acme(base: "/v1") {
            $0.values = [
                ValueSettings(name: "now", kind: .time(.unix)),
                ValueSettings(
                    name: "s",
                    kind: .hash(
                        .sha1,
                        of: template(
                            "${value.now} ${request.method} ${request.url} ${request.header.x-a} ${request.body}"
                        ),
                        as: .base64url)),
            ]
            $0.inject = [InjectedHeader(name: "Sig", value: template("${value.s}"))]
        }
        var settings = CallSettings(method: "POST", place: .upstream(path: template("/a")))
        settings.headers = [InjectedHeader("X-A", "1")]
        settings.content = .form([NamedTemplate(name: "b", value: template("2"))])
        let call = try authenticated(settings, provider)
        #expect(
            decoded(base64url: call.headers[1].value.shown) == "sha1(5 POST https://api.acme.test/v1/a 1 b=2)"
        )

        let url = UpstreamURL(scheme: .https, host: "login.test", port: 443, basePath: "")
        settings = CallSettings(method: "GET", place: .elsewhere(url: url, path: []))
        #expect(
            decoded(base64url: try authenticated(settings, provider).headers[0].value.shown)
                == "sha1(5 GET https://login.test/  )")
    }

    @Test func `a static snapshot adds its headers too`() throws {
        let provider = acme()
        var filler = TemplateFiller(
            ValuePlan([]), secrets: [:], credentials: [:], cryptography: FakeCryptography())
        var call = try filler.render(
            CallSettings(method: "GET", place: .upstream(path: template("/a"))), for: provider)
        let snapshot = CredentialSnapshot(
            generation: 1, headers: [InjectedHeader(name: "X-Key", value: template("${secret.k}"))],
            defaults: [InjectedHeader("Accept", "a")], secrets: ["k": Secret("key")])
        try snapshot.authenticate(&call, upstream: provider.upstream, now: 0)
        #expect(call.target.shown == "/a" && lines(call) == ["Accept: a", "X-Key: key"])
    }
}
