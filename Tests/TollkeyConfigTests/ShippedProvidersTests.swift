import Testing
import TollkeyConfig
import TollkeyCore

struct ShippedProvidersTests {
    @Test(arguments: [
        ("piaxis", "", "https://api.gopiaxis.com", ["api_key"]),
        ("piaxis", "environment: sandbox", "https://sandbox-api.gopiaxis.com", ["api_key"]),
        (
            "tezpay", "upstream: http://localhost:8001", "http://localhost:8001",
            ["client_id", "client_secret"]
        ),
        (
            "pixlpay", "upstream: https://shop.pixlpay.net/api/external/v1",
            "https://shop.pixlpay.net/api/external/v1", ["api_token"]
        ),
        ("tuku", "", "https://api.tuku.money", ["api_key", "app_id"]),
        (
            "jpay", "environment: sandbox", "https://sandbox.api.jpay.africa/api/v1",
            ["app_key", "app_secret"]
        ),
        (
            "jpay", "environment: sandbox\nvariant: token", "https://sandbox.api.jpay.africa/api/v1",
            ["token"]
        ),
        ("tezpay", "upstream: http://localhost:8001\nvariant: token", "http://localhost:8001", ["token"]),
        ("piaxis", "variant: oauth", "https://api.gopiaxis.com", ["client_id"]),
        ("tuku", "variant: signed", "https://api.tuku.money", ["api_key", "app_id", "secret_key"]),
    ])
    func `a shipped description needs its secrets, and an address where none is published`(
        _ name: String, _ line: String, _ upstream: String, _ secrets: [String]
    ) throws {
        let given = secrets.map { "\($0): \"${env:KEY}\"" }.joined(separator: ", ")
        let provider = try provider("use: \(name)\nsecrets: {\(given)}\n\(line)")
        let url = provider.upstream
        #expect("\(url.scheme.rawValue)://\(url.authority)\(url.basePath)" == upstream)
        #expect(provider.secrets.keys.sorted() == secrets)
    }

    @Test func `every shipped description is there, begins with its name's comment and is valid YAML`() throws
    {
        for name in ShippedProviders.names {
            let text = try #require(ShippedProviders.text(of: name))
            #expect(String(decoding: text, as: UTF8.self).lowercased().hasPrefix("# \(name)"))
            guard case .node(_, let problems) = YamlParser.parse(text, file: name) else {
                Issue.record("\(name) is unreadable")
                continue
            }
            #expect(problems.isEmpty)
        }
        #expect(ShippedProviders.text(of: "stripe") == nil)
    }

    @Test func `shipped headers are what the providers ask for`() throws {
        #expect(
            try provider("use: piaxis\nsecrets: {api_key: \"${env:KEY}\"}").inject
                == [InjectedHeader(name: "api-key", value: [.secret("api_key")])])
        let tuku = try provider("use: tuku\nsecrets: {api_key: \"${env:KEY}\", app_id: \"${env:OTHER}\"}")
        #expect(
            tuku.inject == [
                InjectedHeader(name: "Authorization", value: [.text("Bearer "), .secret("api_key")]),
                InjectedHeader(name: "X-App-ID", value: [.secret("app_id")]),
            ])
        let pixlpay = try provider(
            "use: pixlpay\nupstream: https://a.test\nsecrets: {api_token: \"${env:KEY}\"}")
        #expect(pixlpay.defaults == [InjectedHeader(name: "Accept", value: [.text("application/json")])])
    }

    @Test func `without a published address the problem says so and gives an example`() {
        let secrets = "secrets: {token: \"${env:KEY}\", api_token: \"${env:KEY}\"}"
        #expect(
            providerProblems("use: tezpay\n\(secrets)").first
                == """
                2:3: "acme" has no upstream: "tezpay" publishes no live address; write the one that you were \
                given, as in "upstream: http://localhost:8001"
                """)
        #expect(
            providerProblems("use: pixlpay\n\(secrets)").first
                == """
                2:3: "acme" has no upstream: "pixlpay" publishes no live address; write the one that you were \
                given, as in "upstream: https://yourstore.pixlpay.net/api/external/v1"
                """)
        #expect(
            providerProblems("use: jpay\n\(secrets)").first
                == """
                2:3: "acme" has no upstream: "jpay" publishes no live address; write "environment: sandbox", \
                or write the one that you were given, as in "upstream: https://api.jpay.example/api/v1"
                """)
    }
}
