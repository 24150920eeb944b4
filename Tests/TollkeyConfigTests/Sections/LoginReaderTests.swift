import Testing
import TollkeyConfig
import TollkeyCore

struct LoginReaderTests {
    private let exchange = "exchange: {post: /e, form: {c: \"${code}\", r: \"${redirect_uri}\"}}"
    private let query = "query: {s: \"${state}\", r: \"${redirect_uri}\"}"

    /// Of a login in line 9.
    private func problems(_ login: String) -> [String] { credentialProblems(read + "login: {\(login)}") }

    @Test func `every key of a login lands in its setting`() throws {
        let login = try #require(
            try credential(
                read + """
                    login:
                      authorize: https://login.test/authorize
                      query: {id: "${key}", s: "${state}", code_challenge: "${code_challenge}", code_challenge_method: S256}
                      exchange: {post: /e, form: {c: "${code}", v: "${code_verifier}"}}
                      pkce: true
                      redirect_uri: http://127.0.0.1:8765/callback
                    """
            ).login)
        var exchange = CallSettings(method: "POST", place: .upstream(path: [.text("/e")]))
        exchange.content = .form([
            NamedTemplate(name: "c", value: [.input("code")]),
            NamedTemplate(name: "v", value: [.input("code_verifier")]),
        ])
        let url = UpstreamURL(scheme: .https, host: "login.test", port: 443, basePath: "")
        var expected = LoginSettings(
            authorize: .elsewhere(url: url, path: [.text("/authorize")]), exchange: exchange)
        expected.query = [
            NamedTemplate(name: "id", value: [.secret("key")]),
            NamedTemplate(name: "s", value: [.input("state")]),
            NamedTemplate(name: "code_challenge", value: [.input("code_challenge")]),
            NamedTemplate(name: "code_challenge_method", value: [.text("S256")]),
        ]
        expected.usesPKCE = true
        expected.redirectURI = "http://127.0.0.1:8765/callback"
        #expect(login == expected)
    }

    @Test func `a redirect URI is this machine, or a page over https`() throws {
        for uri in ["http://localhost:1/a", "http://[::1]:1", "https://shop.example/callback"] {
            let access = try credential(
                read + "login: {authorize: /a, \(query), \(exchange), redirect_uri: \"\(uri)\"}")
            #expect(access.login?.redirectURI == uri)
        }
        #expect(
            problems("redirect_uri: \"http://shop.example/c\", authorize: /a, \(query), \(exchange)") == [
                """
                9:31: "redirect_uri" is plain HTTP to another machine; write http://127.0.0.1:PORT/PATH, or https://
                """
            ])
    }

    @Test func `a login without its parts is a problem for each`() {
        #expect(
            problems(query) == [
                "9:9: \"login\" needs \"authorize\"; add it", "9:9: \"login\" needs \"exchange\"; add it",
            ])
        #expect(
            problems("authorize: /a, \(exchange)") == [
                """
                9:9: "login" sends no ${state}, without which anybody's code would be taken for yours; add \
                state: "${state}" to its "query"
                """,
                """
                9:9: "login" sends no ${redirect_uri}; add it to its "query", or say under "redirect_uri" which one \
                the provider knows
                """,
            ])
        #expect(
            problems("exchange: {post: /e}, authorize: /a, \(query)")
                == ["9:34: \"exchange\" sends no ${code}; write it into its form, json, query or headers"])
    }

    @Test func `PKCE is asked for and then used`() {
        let message = """
            9:9: "pkce" needs code_challenge: "${code_challenge}" and code_challenge_method: S256 in "query"; add \
            them
            """
        #expect(problems("authorize: /a, pkce: true, \(query), \(exchange)") == [message])
        #expect(
            problems(
                "pkce: true, authorize: /a, query: {s: \"${state}\", r: \"${redirect_uri}\", c: \"${code_challenge}\"}, \(exchange)"
            ) == [message])
        #expect(
            problems(
                "exchange: {post: /e, form: {c: \"${code}\", v: \"${code_verifier}\"}}, authorize: /a, \(query)"
            )
                == [
                    "9:62: \"v\" names \"code_verifier\", which only \"login.exchange\" with \"pkce: true\" has"
                ])
    }
}
