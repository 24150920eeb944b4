import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderUpstreamTests {
    private let environments = "environments: {live: \"https://l.test\", sandbox: \"https://s.test\"}\n"

    @Test func `the environment is live unless said otherwise`() throws {
        #expect(try provider(environments).upstream.host == "l.test")
        #expect(try provider(environments + "environment: sandbox").upstream.host == "s.test")
    }

    @Test func `an environment that is none is a problem that knows better`() {
        #expect(
            providerProblems(environments + "environment: sandbx")
                == ["4:18: \"environment\" names none of the provider's; did you mean \"sandbox\"?"])
        #expect(
            providerProblems(environments + "environment: qa")
                == ["4:18: \"environment\" names none of the provider's; there is live and sandbox"])
        #expect(
            providerProblems("environment: qa") == [
                """
                3:18: "environment" names none of the provider's; this provider has no "environments"; write its \
                address as "upstream"
                """
            ])
    }

    @Test func `upstream and environment together are a problem`() {
        #expect(
            providerProblems(environments + "environment: live\nupstream: https://a.test")
                == ["4:18: \"environment\" and \"upstream\" both say where the provider is; keep one of them"]
        )
    }

    @Test func `environments that are not chosen are checked too`() {
        #expect(
            providerProblems("upstream: https://a.test\nenvironments: {qa: \"ftp://x\"}")
                == ["4:24: \"environments\" must be a URL that begins with https://"])
    }

    @Test func `a missing upstream is a problem with an example`() {
        #expect(
            providerProblems("route: /a") == [
                "2:3: \"acme\" has no upstream; write its address, as in \"upstream: https://api.example.com\""
            ])
        #expect(
            problems("providers: {tuku: {route: /a}}") == [
                """
                1:13: "tuku" has no upstream; write its address, as in "upstream: https://api.example.com"; or \
                take the shipped description over with "use: tuku"
                """
            ])
    }

    @Test func `plain HTTP may stay on this machine only, by name or by addresses`() throws {
        let message = """
            the upstream is plain HTTP to another machine, so that everybody on the way could read the \
            credentials; write https://
            """
        #expect(try provider("upstream: http://127.0.0.9:1").upstream.scheme == .http)
        #expect(try provider("upstream: http://[::1]").upstream.port == 80)
        #expect(try provider("upstream: http://a.test\naddresses: 127.0.0.1:1").addresses.count == 1)
        #expect(providerProblems("upstream: http://a.test") == ["3:15: \(message)"])
        #expect(
            providerProblems("upstream: http://localhost\naddresses: [127.0.0.1, 10.0.0.1]")
                == ["3:15: \(message)"])
    }

    @Test func `addresses take the upstream's port when they have none`() throws {
        let addresses = try provider(
            "upstream: https://a.test:8443\naddresses: [192.0.2.7, \"192.0.2.7:1\", \"::1\", \"[::1]\", \"[2001:DB8::7]:2\"]"
                .replacing("\"[::1]\", ", with: "")
        ).addresses
        #expect(
            addresses == [
                UpstreamAddress(host: "192.0.2.7", port: 8_443), UpstreamAddress(host: "192.0.2.7", port: 1),
                UpstreamAddress(host: "::1", port: 8_443), UpstreamAddress(host: "2001:db8::7", port: 2),
            ])
    }

    @Test(arguments: [
        ("a.test", "4:16: \"addresses\" must be literal addresses, such as 192.0.2.7 or 192.0.2.7:8443"),
        ("192.0.2.7:0", "4:16: \"addresses\" has no good port; ports go from 1 to 65535"),
        ("[192.0.2.7, 192.0.2.7]", "4:28: \"addresses\" has this one twice; keep one of them"),
    ])
    func `other addresses are problems`(_ text: String, _ expected: String) {
        #expect(providerProblems("upstream: https://a.test\naddresses: \(text)") == [expected])
    }
}
