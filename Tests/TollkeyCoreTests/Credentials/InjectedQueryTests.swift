import Testing
import TollkeyCore

/// What becomes of a client's query when parameters are injected into it.
struct InjectedQueryTests {
    private func target(_ target: String, _ provider: ProviderSettings, now: Int64 = 1_000) throws -> String {
        let snapshot = try CredentialSnapshot(
            generation: 1, provider: provider, secrets: provider.secrets, cryptography: FakeCryptography())
        let text = "GET /acme\(target) HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = try request(text)
        let all = try written {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes(text).span, prefixLength: 5, credential: snapshot, occasion: Occasion(now: now),
                into: $0)
        }
        return String(all.dropFirst(4).prefix { $0 != " " })
    }

    private func keyed(_ pairs: KeyValuePairs<String, String> = ["key": "${secret.k}"]) -> ProviderSettings {
        acme {
            $0.secrets = ["k": Secret("a b&/")]
            $0.injectQuery = pairs.map { NamedTemplate(name: $0, value: template($1)) }
        }
    }

    @Test(arguments: [
        ("", "/?key=a%20b%26%2F"), ("/x", "/x?key=a%20b%26%2F"), ("/x?", "/x?key=a%20b%26%2F"),
        ("/x?b=2&a=%2f+[1]&c", "/x?b=2&a=%2f+[1]&c&key=a%20b%26%2F"), ("/x?key=mine", "/x?key=a%20b%26%2F"),
        ("/x?a=1&key=mine&b=2&key", "/x?a=1&b=2&key=a%20b%26%2F"),
        ("/x?%6Bey=1&k%65y=2&k%65%79", "/x?key=a%20b%26%2F"), ("/x?KEY=1", "/x?key=a%20b%26%2F"),
        ("/x?keys=1&ke=2&=key", "/x?keys=1&ke=2&=key&key=a%20b%26%2F"),
        ("/x?key%3D=1&key%=2&key%2=3", "/x?key%3D=1&key%=2&key%2=3&key=a%20b%26%2F"),
        ("/x?+key=1&%20%20Key=2&key[]=3&key%5Ba%5D=4&key%00x=5&a;key=6&a=1;b;kEy", "/x?key=a%20b%26%2F"),
        ("/x?a;b=1&akey=2&a=;keys", "/x?a;b=1&akey=2&a=;keys&key=a%20b%26%2F"),
        ("/x?&&a&&", "/x?a&key=a%20b%26%2F"), ("/x?a=?key=1", "/x?a=?key=1&key=a%20b%26%2F"),
    ])
    func `ours take the place of the client's of the same name`(_ sent: String, _ expected: String) throws {
        #expect(try target(sent, keyed()) == expected)
    }

    @Test func `a name is encoded, and known under all its spellings`() throws {
        let provider = keyed(["api key": "1", "b": ""])
        #expect(try target("/x?api+key=2&api%20key=3&b=4&c=5", provider) == "/x?c=5&api%20key=1&b=")
    }

    @Test func `a name may hold a bracket itself`() throws {
        let provider = keyed(["f[key]": "1"])
        #expect(try target("/x?f[key]=2&F%5Bkey%5D=3&+f[key][a]=4&f=5", provider) == "/x?f=5&f%5Bkey%5D=1")
    }

    @Test func `without injected parameters a query stays byte for byte`() throws {
        for query in ["", "?", "?&&a=%2f&", "?key=1"] {
            #expect(try target("/x" + query, acme()) == "/x" + query)
        }
    }

    /// As with providers that want the query signed and the signature behind it.
    @Test func `a parameter sees the query as it stands before it`() throws {
        var provider = keyed(["time": "${value.now}", "sig": "${value.sig}"])
        provider.values = [
            ValueSettings(name: "now", kind: .time(.unixMilliseconds)),
            ValueSettings(name: "sig", kind: .hash(.sha1, of: template("${request.query}"), as: .base64url)),
        ]
        let sent = try target("/x?b=2&sig=mine", provider)
        #expect(sent.hasPrefix("/x?b=2&time=1000&sig="))
        #expect(decoded(base64url: sent.dropFirst("/x?b=2&time=1000&sig=".count)) == "sha1(b=2&time=1000)")
    }

    @Test func `headers see the query with what was injected`() throws {
        var provider = keyed(["n": "${value.n}"])
        provider.values = [ValueSettings(name: "n", kind: .random(1, as: .hex))]
        provider.inject = [InjectedHeader(name: "X-Query", value: template("${request.query} ${value.n}"))]
        let snapshot = try CredentialSnapshot(
            generation: 1, provider: provider, secrets: provider.secrets, cryptography: FakeCryptography())
        let text = "GET /acme/x?a HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = try request(text)
        let all = try written {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes(text).span, prefixLength: 5, credential: snapshot, occasion: Occasion(now: 0),
                into: $0)
        }
        #expect(all.contains("\r\nX-Query: a&n=01 01\r\n"))
    }
}
