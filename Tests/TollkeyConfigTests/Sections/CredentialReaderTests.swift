import Testing
import TollkeyConfig
import TollkeyCore

struct CredentialReaderTests {
    private let obtain = "obtain: {post: /t}\n"
    private let refresh = "refresh: {post: /r, form: {r: \"${refresh_token}\"}}\n"

    @Test func `every key of a credential lands in its setting`() throws {
        let access = try credential(
            """
            obtain: {post: /t}
            refresh: {post: /r, form: {r: "${refresh_token}"}, headers: {X-Old: "${access} ${access.session}"}}
            read:
              token: data.token
              refresh_token: data.refresh
              expires_in: a
              expires_in_ms: b
              expires_at: c
              refresh_expires_in: d
              refresh_expires_in_ms: e
              refresh_expires_at: f
              values: {session: "@header.X-Session"}
            read_refreshed: {token: t}
            lifetime: 12h
            refresh_lifetime: 168h
            renew_before: 1h
            """)
        func place(_ name: String) -> AnswerPlace { .json([.member(name)]) }
        var read = ReadSettings(token: .json([.member("data"), .member("token")]))
        read.refreshToken = .json([.member("data"), .member("refresh")])
        read.expiry = [.seconds(place("a")), .milliseconds(place("b")), .date(place("c"))]
        read.refreshExpiry = [.seconds(place("d")), .milliseconds(place("e")), .date(place("f"))]
        read.values = [.init(name: "session", place: .header("x-session"))]
        var expected = CredentialSettings(name: "access", read: read)
        expected.obtain = CallSettings(method: "POST", place: .upstream(path: [.text("/t")]))
        var renewal = CallSettings(method: "POST", place: .upstream(path: [.text("/r")]))
        renewal.content = .form([NamedTemplate(name: "r", value: [.input("refresh_token")])])
        renewal.headers = [
            InjectedHeader(
                name: "X-Old", value: [.credential("access"), .text(" "), .credential("access.session")])
        ]
        expected.refresh = renewal
        expected.readRefreshed = ReadSettings(token: place("t"))
        (expected.lifetime, expected.refreshLifetime) = (.seconds(43_200), .seconds(604_800))
        expected.renewBefore = .seconds(3_600)
        #expect(access == expected)
    }

    @Test func `answers to a refresh are read like the others unless said otherwise`() throws {
        let access = try credential(obtain + refresh + "read: {token: t, refresh_token: r}")
        #expect(access.readRefreshed == access.read)
    }

    @Test func `how long calls wait for a credential is a setting`() throws {
        #expect(try provider("upstream: https://a.test\ncredential_wait: 3s").credentialWait == .seconds(3))
        #expect(try provider("upstream: https://a.test").credentialWait == .seconds(10))
    }

    @Test(arguments: [
        (
            "",
            "7:7: the credential \"access\" does not say how it is had; add \"obtain\" (a call) or \"login\" (a person)"
        ),
        (
            "refresh: {post: /r, form: {r: \"${refresh_token}\"}}",
            "7:7: the credential \"access\" can be renewed and not be had at first; add \"obtain\" or \"login\""
        ),
        (
            "renew_before: 31m\nlifetime: 1h\nobtain: {post: /t}",
            """
            9:23: "renew_before" is more than half of "lifetime", and tokens live for half at least; lower it
            """
        ),
        ("lifetime: 0s\nobtain: {post: /t}", "9:19: \"lifetime\" must be from 1s to 87600h"),
        (
            "refresh_lifetime: 1h\nobtain: {post: /t}",
            "9:9: \"refresh_lifetime\" has no meaning without \"refresh\"; add that, or take this out"
        ),
        (
            "read_refreshed: {token: t}\nobtain: {post: /t}",
            "9:9: \"read_refreshed\" has no meaning without \"refresh\"; add that, or take this out"
        ),
        (
            "obtain: {post: /t}\nrefresh: {post: /r}",
            "10:25: \"refresh\" sends no ${refresh_token}; write it into its form, json, query or headers"
        ),
        (
            "obtan: {post: /t}\nobtain: {post: /t}",
            "9:9: \"obtan\" is an unknown key; did you mean \"obtain\"?"
        ),
    ])
    func `a credential that could not be had or renewed is a problem`(_ lines: String, _ expected: String) {
        let found = credentialProblems("read: {token: t, refresh_token: r}\n" + lines)
        #expect(found == [expected])
    }

    @Test func `obtaining and logging in are two ways, of which there is one`() {
        #expect(
            credentialProblems(
                read + obtain
                    + "login: {authorize: /a, query: {s: \"${state}\", r: \"${redirect_uri}\"}, "
                    + "exchange: {post: /e, form: {c: \"${code}\"}}}") == [
                    """
                    10:9: the credential "access" has "obtain", which needs nobody, and "login"; keep one of them \
                    (write ~ for the other)
                    """
                ])
    }

    @Test(arguments: [
        (
            "obtain: {post: /t}",
            "7:7: the credential \"access\" does not say where the token is in an answer; add read: {token: access_token}"
        ),
        (
            "obtain: {post: /t}\nread: {expires_in: e}",
            "9:9: \"read\" does not say where the token is; add it, as in token: access_token"
        ),
        (
            "obtain: {post: /t}\nread: {token: a b}",
            """
            9:23: "token" is no place; write names with dots between them, as in data.items[0].id, and odd ones as \
            ["odd.name"]
            """
        ),
        (
            "obtain: {post: /t}\nrefresh: {post: /r, form: {r: \"${refresh_token}\"}}\nread: {token: t}",
            "10:9: \"refresh\" spends a refresh token, and \"read\" takes none; add refresh_token: and its place"
        ),
    ])
    func `an answer that nothing useful is read from is a problem`(_ lines: String, _ expected: String) {
        #expect(credentialProblems(lines) == [expected])
    }

    @Test func `a credential is not obtained with itself, nor with another one`() {
        let alone = "a credential is obtained with secrets alone"
        #expect(
            credentialProblems(read + "obtain: {post: /t, form: {a: \"${access}\"}}")
                == ["9:38: \"a\" names the credential \"access\"; \(alone)"])
        #expect(
            credentialProblems(
                read + "obtain: {post: /t, form: {a: \"${v}\"}}", further: "values: {v: {hex: \"${access}\"}}"
            )
                == ["9:38: \"a\" names the credential \"access\"; \(alone)"])
        #expect(
            credentialProblems(
                "read: {token: t, refresh_token: r}\n" + obtain
                    + "refresh: {post: /t, form: {a: \"${refresh_token} ${other}\"}}",
                further: "  other: {obtain: {post: /o}, read: {token: t}}\ndefaults: {X-O: \"${other}\"}")
                == ["10:39: \"a\" names the credential \"other\"; \(alone)"])
    }

    @Test func `a call that obtains what the injected headers are made of cannot send these`() throws {
        let message = """
            with "authenticated", the headers of "inject" go along, which are made of the credential "access"; take \
            it out and write what this call needs under its "headers"
            """
        #expect(credentialProblems(read + "obtain: {post: /t, authenticated: true}") == ["9:24: \(message)"])
        let access = try credential(
            "read: {token: t, refresh_token: r}\n" + obtain
                + "refresh: {post: /r, authenticated: true, form: {r: \"${refresh_token}\"}}")
        #expect(access.refresh?.isAuthenticated == true)
        let provider = try provider(
            """
            upstream: https://a.test
            secrets: {key: "${env:KEY}"}
            inject: {X-Key: "${key}"}
            inject_query: {k: "${key}"}
            credentials: {access: {obtain: {post: /t, authenticated: true}, read: {token: t}}}
            probe: {get: /me, headers: {X-T: "${access}"}}
            """)
        #expect(provider.credentials.first?.obtain?.isAuthenticated == true)
    }

    @Test func `credentials, and values read from their answers, go up to their bounds`() {
        func file(_ count: Int) -> [String] {
            let names = (0..<count).map { "c\($0)" }
            let credentials = names.map { "\($0): {obtain: {post: /t}, read: {token: t}}" }
            return providerProblems(
                "upstream: https://a.test\ncredentials: {\(credentials.joined(separator: ", "))}\n"
                    + "inject: {A: \"\(names.map { "${\($0)}" }.joined())\"}")
        }
        #expect(file(Bounds.credentials).isEmpty)
        #expect(
            file(Bounds.credentials + 1).first == "4:5: \"credentials\" has more than 16 entries; shorten it")
        func values(_ count: Int) -> [String] {
            let values = (0..<count).map { "v\($0): a" }.joined(separator: ", ")
            return credentialProblems(obtain + "read: {token: t, values: {\(values)}}")
        }
        #expect(values(Bounds.readValues).isEmpty)
        #expect(values(Bounds.readValues + 1) == ["9:26: \"values\" has more than 16 entries; shorten it"])
    }
}
