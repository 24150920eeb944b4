import Testing
import TollkeyConfig
import TollkeyCore

struct NamesTests {
    private func file(_ header: String) -> String {
        """
        upstream: https://a.test
        inject: {X-A: "\(header)", X-All: "${key}${access}${now}"}
        secrets: {key: "${env:KEY}"}
        values: {now: {time: unix}}
        credentials:
          access: {obtain: {post: /t}, read: {token: t, values: {session: s}}}
        """
    }

    @Test(arguments: [
        ("${key}", TemplatePart.secret("key")), ("${now}", .value("now")),
        ("${access}", .credential("access")),
        ("${access.session}", .credential("access.session")),
        ("${request.header.X-B}", .request(.header("x-b"))),
    ])
    func `each name is what it was declared as`(_ text: String, _ part: TemplatePart) throws {
        let provider = try provider(file(text))
        #expect(provider.inject.first == InjectedHeader(name: "X-A", value: [part]))
    }

    @Test(arguments: [
        (
            "${acess}",
            "names \"acess\", which is no secret, credential or value here; did you mean \"access\"?"
        ),
        ("${nwo}", "names \"nwo\", which is no secret, credential or value here; did you mean \"now\"?"),
        (
            "${acess.session}",
            "names a value of \"acess\", and there is no such credential; did you mean \"access\"?"
        ),
        (
            "${access.sesion}",
            """
            names a value of the credential "access" that its answer is not read for; did you mean "session"?; add \
            it to "values" under its "read"
            """
        ),
        (
            "${access.token}",
            """
            names a value of the credential "access" that its answer is not read for; add it to "values" under its \
            "read"
            """
        ),
        ("${refresh_token}", "names \"refresh_token\", which only \"refresh\" has"),
        ("${state}", "names \"state\", which only \"login\" has"),
    ])
    func `an unknown name is a problem that knows better`(_ text: String, _ message: String) {
        #expect(providerProblems(file(text)) == ["4:19: \"X-A\" \(message)"])
    }

    @Test func `a name that nothing resembles is a secret that is missing`() {
        #expect(
            providerProblems(file("${merchant}")) == [
                """
                4:19: "acme" needs the secret "merchant"; give it under its "secrets", as in merchant: \
                ${env:ACME_MERCHANT}
                """
            ])
    }

    @Test func `secrets, credentials and values have one namespace`() {
        #expect(
            providerProblems(
                """
                upstream: https://a.test
                inject: {X-A: "${a}", X-B: "${b}"}
                secrets: {a: "${env:KEY}", b: "${env:KEY}"}
                values: {a: uuid}
                credentials: {b: {obtain: {post: /t}, read: {token: t}}}
                """) == [
                    "5:15: the secret \"a\" is not used; write \"${its_name}\" where it belongs, or take it out",
                    "5:32: the secret \"b\" is not used; write \"${its_name}\" where it belongs, or take it out",
                    """
                    6:14: "a" is a secret's name too, at proxy.yaml:5:15, and templates could not tell them apart; \
                    rename one of them
                    """,
                    """
                    7:19: "b" is a secret's name too, at proxy.yaml:5:32, and templates could not tell them apart; \
                    rename one of them
                    """,
                ])
    }

    @Test func `names that steps give are taken`() {
        #expect(
            providerProblems(
                "upstream: https://a.test\nsecrets: {state: \"${env:KEY}\"}\ninject: {X-A: \"${state}\"}")
                == ["4:15: \"state\" is a name that \"login\" gives a meaning; call this secret otherwise"])
    }

    @Test func `a credential that nothing uses is a problem, its own renewal notwithstanding`() {
        #expect(
            providerProblems(
                """
                upstream: https://a.test
                credentials:
                  access:
                    obtain: {post: /t}
                    refresh: {post: /r, form: {r: "${refresh_token}", a: "${access}"}}
                    read: {token: t, refresh_token: r}
                """) == [
                    "5:7: nothing uses the credential \"access\"; write \"${access}\" where it belongs, or take it out"
                ])
    }

    @Test func `what a description has and nothing uses any more can be taken away`() {
        #expect(
            providerProblems(
                """
                use: tezpay
                upstream: https://a.test
                secrets: {client_id: "${env:KEY}", client_secret: "${env:KEY}", mine: "${env:KEY}"}
                inject: {Authorization: "${mine}"}
                """) == [
                    """
                    2:3: nothing uses the description's credential "access"; take it away with credentials: \
                    {access: ~}
                    """
                ])
    }

    @Test func `secrets that only sign may have line ends, others may not`() throws {
        let lines = """
            upstream: https://a.test
            secrets: {pem: "${file:/k.pem}", hex: "${env:KEY}"}
            values: {sig: {rsa: sha256, key: "${pem}", of: "${request.body}"}, mac: {hmac: sha1, key: "${hex}", of: a}}
            inject: {X-S: "${sig} ${mac}"}

            """
        #expect(try provider(lines).keySecrets == ["pem", "hex"])
        #expect(try provider(lines + "defaults: {X-H: \"${hex}\"}").keySecrets == ["pem"])
        #expect(
            providerProblems(lines + "defaults: {X-P: \"${pem}\"}") == [
                """
                4:20: the secret "pem" has a control character or a line end in it, which no header can hold; store \
                it without
                """
            ])
        #expect(
            providerProblems(lines.replacing("k.pem", with: "k.txt")) == [
                """
                4:20: the secret "pem" is no private key in PEM ("-----BEGIN PRIVATE KEY-----"); name the file of one
                """
            ])
    }
}
