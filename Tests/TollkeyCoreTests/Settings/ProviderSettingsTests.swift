import Testing
import TollkeyCore

struct ProviderSettingsTests {
    @Test(
        arguments: [
            (UpstreamURL.Scheme.https, "a.test", 443, "a.test"), (.https, "a.test", 80, "a.test:80"),
            (.http, "a.test", 80, "a.test"), (.http, "a.test", 443, "a.test:443"),
            (.https, "192.0.2.1", 443, "192.0.2.1"),
            (.https, "2001:db8::7", 443, "[2001:db8::7]"), (.http, "::1", 8_080, "[::1]:8080"),
        ] as [(UpstreamURL.Scheme, String, Int, String)])
    func `an authority has brackets and a port where they are needed`(
        _ scheme: UpstreamURL.Scheme, _ host: String, _ port: Int, _ authority: String
    ) {
        #expect(UpstreamURL(scheme: scheme, host: host, port: port, basePath: "/v1").authority == authority)
    }

    @Test func `what was obtained needs the sealed state, what was counted does not`() throws {
        var counted = acme()
        counted.categories = [CategorySettings(name: "all")]
        #expect(!counted.needsState && !counted.mayUseState)
        var obtained = acme()
        obtained.credentials = [
            CredentialSettings(name: "access", read: ReadSettings(token: .content))
        ]
        #expect(obtained.needsState && obtained.mayUseState)
    }

    @Test func `a provider's route is its name unless said otherwise`() { #expect(acme().route == "/acme") }
}
