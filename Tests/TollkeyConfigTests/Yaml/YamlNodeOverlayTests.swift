import Testing
import TollkeyConfig
import TollkeyCore

struct YamlNodeOverlayTests {
    private let piaxis = "use: piaxis\nsecrets: {api_key: \"${env:KEY}\"}\n"

    @Test func `maps merge key by key, and the user's headers come after the description's`() throws {
        let provider = try provider(
            piaxis
                + "inject: {X-Team: pay}\nenvironments: {sandbox: \"https://s.test\"}\nenvironment: sandbox")
        #expect(provider.inject.map(\.name) == ["api-key", "X-Team"])
        #expect(provider.upstream.host == "s.test")
    }

    @Test func `scalars replace, and header names do so whatever their case`() throws {
        let provider = try provider(piaxis + "inject: {API_Key: \"k-${api_key}\"}")
        #expect(
            provider.inject == [InjectedHeader(name: "API_Key", value: [.text("k-"), .secret("api_key")])])
    }

    @Test func `a tilde takes a key of the description away`() throws {
        let provider = try provider(
            """
            use: pixlpay
            upstream: https://a.test
            defaults: ~
            inject: {authorization: ~, X-Token: "${t}"}
            secrets: {t: "${env:KEY}"}
            """)
        #expect(provider.defaults.isEmpty)
        #expect(provider.inject.map(\.name) == ["X-Token"])
    }

    @Test func `an empty value takes nothing away and is a problem`() {
        #expect(
            providerProblems(piaxis + "inject:\n  api-key:\n")
                == ["6:7: \"inject\" has a header without a value; give it one, or take it out"])
        #expect(
            providerProblems(piaxis + "inject:\n")
                == ["5:5: \"inject\" has no value; give it one, or take the key out"])
    }

    @Test func `an upstream of the user's comes before the description's environments`() throws {
        #expect(try provider(piaxis + "upstream: https://mock.test/x").upstream.host == "mock.test")
    }

    @Test func `what the user always sets comes before what the description sets sometimes`() throws {
        let provider = try provider(
            """
            use: pixlpay
            upstream: https://a.test
            inject: {accept: text/plain}
            secrets: {api_token: "${env:KEY}"}
            """)
        #expect(provider.inject.map(\.name) == ["Authorization", "accept"])
        #expect(provider.defaults.isEmpty)
    }

    @Test func `two spellings of a header over one of the description's are a problem`() {
        #expect(
            providerProblems(piaxis + "inject: {Api-Key: \"${api_key}\", api_key: \"${api_key}\"}") == [
                """
                5:37: "api_key" is in "inject" twice (case, "_" and "-" make no difference), first on line 5; \
                keep one of them
                """
            ])
    }
}
