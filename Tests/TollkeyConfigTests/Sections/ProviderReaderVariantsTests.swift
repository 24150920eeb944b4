import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderVariantsTests {
    private let own = """
        upstream: https://a.test
        secrets: {key: "${env:KEY}"}
        inject: {X-Key: "${key}"}
        variants:
          bearer: {inject: {X-Key: ~, Authorization: "Bearer ${key}"}, route: /b}
          other: {inject: {X-Other: "${other}"}}

        """

    @Test func `a variant lies over the provider's own keys where there is no description`() throws {
        #expect(try provider(own).inject.map(\.name) == ["X-Key"])
        let bearer = try provider(own + "variant: bearer")
        #expect(bearer.inject.map(\.name) == ["Authorization"])
        #expect(bearer.route == "/b")
    }

    @Test func `the user's keys lie over the variant's, and these over the description's`() throws {
        let provider = try provider(
            """
            use: tuku
            variant: signed
            secrets: {api_key: "${env:KEY}", app_id: "${env:KEY}", secret_key: "${env:KEY}"}
            values: {content_hash: {hash: md5}}
            inject: {X-Request-Token: ~, X-Auth-Token: "${request_token}"}
            """)
        #expect(provider.inject.map(\.name) == ["Authorization", "X-App-ID", "X-Auth-Token"])
        #expect(
            provider.values.first { $0.name == "content_hash" }?.kind
                == .hash(.md5, of: [.request(.body)], as: .hex))
    }

    @Test func `a variant of the user's may lie over a description`() throws {
        let provider = try provider(
            """
            use: piaxis
            variant: mine
            variants: {mine: {inject: {api-key: ~, X-Mine: "${mine}"}, otp: ~}}
            secrets: {mine: "${env:KEY}"}
            """)
        #expect(provider.inject.map(\.name) == ["X-Mine"])
        #expect(provider.otp == nil)
    }

    @Test(arguments: [
        ("variant: barer", "9:14: \"variant\" names none of the provider's; did you mean \"bearer\"?"),
        ("variant: x", "9:14: \"variant\" names none of the provider's; there is bearer and other"),
        ("variant: [x]", "9:14: \"variant\" must be text; found a list"),
    ])
    func `a variant that there is not is a problem`(_ line: String, _ expected: String) {
        #expect(providerProblems(own + line) == [expected])
    }

    @Test func `without variants there is none to choose`() {
        #expect(
            providerProblems("upstream: https://a.test\nvariant: x")
                == ["4:14: \"variant\" names none of the provider's; it has no \"variants\"; take this out"])
    }

    @Test(arguments: [
        ("{a: {use: tuku}}", "4:20: \"use\" has no meaning in a variant; take it out"),
        ("{a: {injekt: {}}}", "4:20: \"injekt\" is an unknown key of a provider; take it out"),
        ("{a: text}", "4:19: a variant must be a map (\"key: value\" lines below it); found text"),
        (
            "{\"a b\": {}}",
            "4:16: the name of a variant is 1 to 64 letters, digits, \"_\" and \"-\"; rename this one"
        ),
    ])
    func `variants that are not chosen are checked as far as their keys go`(
        _ lines: String, _ expected: String
    ) {
        #expect(providerProblems("upstream: https://a.test\nvariants: \(lines)") == [expected])
    }

    @Test func `variants go up to their bound`() {
        func many(_ count: Int) -> [String] {
            let variants = (0..<count).map { "v\($0): {}" }.joined(separator: ", ")
            return providerProblems("upstream: https://a.test\nvariants: {\(variants)}")
        }
        #expect(many(Bounds.variants).isEmpty)
        #expect(many(Bounds.variants + 1) == ["4:5: \"variants\" has more than 16 entries; shorten it"])
    }
}
