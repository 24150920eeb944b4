import Testing
import TollkeyConfig
import TollkeyCore

/// `refused`, `probe`, `rotate`, `scopes`, `inject_query`.
struct ProviderReaderStepsTests {
    private let start = """
        upstream: https://a.test
        secrets: {key: "${env:KEY}"}
        inject: {X-Key: "${key}"}

        """

    /// Of a line 6.
    private func problems(_ line: String) -> [String] { providerProblems(start + line) }

    @Test func `refusals land in their settings`() throws {
        let provider = try provider(
            start + """
                refused:
                  - {status: 403, where: {error.code: [EXPIRED, REVOKED], "@header.X-Why": token}}
                  - status: 498
                  - {status: 200, where: {ok: false}}
                """)
        let code = AnswerPlace.json([.member("error"), .member("code")])
        #expect(
            provider.refusals == [
                RefusalRule(
                    status: 403,
                    expect: [
                        Expectation(place: code, value: "EXPIRED"),
                        Expectation(place: code, value: "REVOKED"),
                        Expectation(place: .header("x-why"), value: "token"),
                    ]),
                RefusalRule(status: 498),
                RefusalRule(
                    status: 200, expect: [Expectation(place: .json([.member("ok")]), value: "false")]),
            ])
        #expect(try self.provider(start + "refused: {status: 440}").refusals == [RefusalRule(status: 440)])
    }

    private func provider(_ lines: String) throws -> ProviderSettings {
        try TollkeyConfigTests.provider(lines)
    }

    @Test(arguments: [
        ("401", "401 means by itself that the credential was refused; take this out"),
        ("600", "\"status\" must be a whole number from 200 to 599"),
    ])
    func `a status that says nothing new is a problem`(_ status: String, _ message: String) {
        #expect(problems("refused: [{status: \(status)}]") == ["6:24: \(message)"])
    }

    @Test(arguments: ["200", "302", "403", "429", "503"])
    func `a status that means much besides needs a word more`(_ status: String) {
        #expect(
            problems("refused: [{status: \(status)}]") == [
                """
                6:24: not every answer with this status refuses the credential; say under "where" what else must be \
                in it, as in where: {error.code: TOKEN_EXPIRED}
                """
            ])
        #expect(problems("refused: [{status: \(status), where: {a: b}}]").isEmpty)
    }

    @Test(arguments: [
        ("[{where: {a: b}}]", "6:15: \"refused\" needs a \"status\"; add it, as in status: 403"),
        (
            "[{status: 403, where: {}}]",
            "6:29: \"where\" says nothing; name a place and its text, or take it out"
        ),
        (
            "[{status: 403, where: {a: }}]",
            "6:37: \"where\" has a place without a text; give it one, or take it out"
        ),
        (
            "[{status: 403, where: {\"@\": b}}]",
            """
            6:37: a place in "where" is no place: "@" begins @header.NAME and @content; a JSON field of that name \
            is written ["@name"]
            """
        ),
        ("[text]", "6:15: \"refused\" must be a map (\"key: value\" lines below it); found text"),
    ])
    func `a refusal that no answer could be is a problem`(_ refused: String, _ expected: String) {
        #expect(problems("refused: \(refused)") == [expected])
    }

    @Test func `a probe lands in its setting`() throws {
        let probe = try #require(
            try provider(start + "probe: {get: /me, authenticated: true, expect: {status: valid, n: 1}}")
                .probe)
        var call = CallSettings(method: "GET", place: .upstream(path: [.text("/me")]))
        call.isAuthenticated = true
        var expected = ProbeSettings(call: call)
        expected.expect = [
            Expectation(place: .json([.member("status")]), value: "valid"),
            Expectation(place: .json([.member("n")]), value: "1"),
        ]
        #expect(probe == expected)
    }

    @Test func `a probe proves something and expects one text at a place`() {
        #expect(
            problems("probe: {get: /me}")
                == ["6:18: \"probe\" sends no credential and so proves nothing; add \"authenticated: true\""])
        #expect(problems("probe: {get: /me, query: {k: \"${key}\"}}").isEmpty)
        #expect(problems("probe: {post: \"/me/${key}\"}").isEmpty)
        #expect(problems("probe: {post: /me, json: {a: [{b: \"${key}\"}]}}").isEmpty)
        #expect(
            problems("probe: {get: /me, authenticated: true, expect: {a: [b]}}")
                == ["6:56: \"expect\" must be text; found a list"])
    }

    @Test func `a rotation lands in its setting, and needs its secret`() throws {
        let line = "rotate: {secret: key, post: \"/keys/${key}\", authenticated: true, read: data.key}"
        var call = CallSettings(method: "POST", place: .upstream(path: [.text("/keys/"), .secret("key")]))
        call.isAuthenticated = true
        #expect(
            try provider(start + line).rotation
                == RotationSettings(
                    secret: "key", call: call, read: .json([.member("data"), .member("key")])))
        #expect(
            problems("rotate: {secret: other, post: /k, read: a}") == [
                """
                6:22: "acme" needs the secret "other"; give it under its "secrets", as in other: \
                ${env:ACME_OTHER}
                """
            ])
        #expect(
            problems("rotate: {post: /k}") == [
                "6:5: \"rotate\" needs \"secret\"; add it", "6:5: \"rotate\" needs \"read\"; add it",
            ])
    }

    @Test func `scopes are the calls that they open`() throws {
        let calls = "scope_calls: {\"a:read\": [GET /a/**, HEAD /a/**], \"a:write\": \"* /a/*\", b: []}\n"
        let all = try provider(start + calls + "scopes: [b, \"a:read\"]")
        #expect(
            all.scopes == [
                ScopeSettings(name: "b", calls: []),
                ScopeSettings(
                    name: "a:read", calls: [try CallPattern("GET /a/**"), try CallPattern("HEAD /a/**")]),
            ])
        #expect(try provider(start + calls).scopes == nil)
        #expect(try provider(start + calls + "scopes: b").scopes?.count == 1)
        #expect(
            problems(calls + "scopes: [\"a:raed\", c]") == [
                "7:14: \"scopes\" names none of \"scope_calls\"; did you mean \"a:read\"?",
                "7:24: \"scopes\" names none of \"scope_calls\"",
            ])
        #expect(
            problems("scopes: [a]") == [
                "6:13: \"scopes\" needs \"scope_calls\", which say what each one opens; add them, or take this out"
            ])
        #expect(
            problems("scope_calls: {a: }") == [
                "6:19: \"scope_calls\" has a scope without calls; write [] for none"
            ])
    }

    @Test(arguments: [
        ("scopes: [b, a]", "b a"), ("scopes: a", "a"), ("", "a b"),
    ])
    func `the names of the scopes can be filled in`(_ line: String, _ expected: String) throws {
        let provider = try provider(
            start + "inject_query: {scope: \"${scopes}\"}\nscope_calls: {a: GET /a, b: GET /b}\n\(line)")
        #expect(provider.injectQuery == [NamedTemplate(name: "scope", value: [.text(expected)])])
    }

    @Test func `scopes that there are not cannot be filled in`() {
        #expect(
            problems("inject_query: {scope: \"${scopes}\"}")
                == ["6:27: \"scope\" names the scopes, and there are none; add \"scopes\""])
    }

    @Test func `a key in the query may be a secret and not stand in clear`() throws {
        let provider = try provider(start + "inject_query: {api_key: \"${key}\"}")
        #expect(provider.injectQuery == [NamedTemplate(name: "api_key", value: [.secret("key")])])
        let found = problems("inject_query: {api_key: hunter2}")
        #expect(found.count == 1 && found[0].contains("looks like a secret in clear"))
    }

    @Test func `lists go up to their bounds`() {
        func refusals(_ count: Int) -> [String] {
            problems(
                "refused: [" + Array(repeating: "{status: 498}", count: count).joined(separator: ",") + "]")
        }
        #expect(refusals(Bounds.refusals).isEmpty)
        #expect(refusals(Bounds.refusals + 1) == ["6:14: \"refused\" has more than 16 entries; shorten it"])
        func scopes(_ count: Int) -> [String] {
            problems("scope_calls: {" + (0..<count).map { "s\($0): GET /" }.joined(separator: ", ") + "}")
        }
        #expect(scopes(Bounds.scopes).isEmpty)
        #expect(scopes(Bounds.scopes + 1) == ["6:5: \"scope_calls\" has more than 64 entries; shorten it"])
        func calls(_ count: Int) -> [String] {
            problems("scope_calls: {s: [" + (0..<count).map { "GET /\($0)" }.joined(separator: ", ") + "]}")
        }
        #expect(calls(Bounds.scopeCalls).isEmpty)
        #expect(
            calls(Bounds.scopeCalls + 1) == ["6:22: \"scope_calls\" has more than 64 entries; shorten it"])
        func places(_ count: Int) -> [String] {
            let places = (0..<count).map { "p\($0): a" }.joined(separator: ", ")
            return problems("refused: [{status: 403, where: {\(places)}}]")
        }
        #expect(places(Bounds.expectations).isEmpty)
        #expect(places(Bounds.expectations + 1).count == 1)
        let word = String(repeating: "a", count: Bounds.wordBytes)
        #expect(problems("refused: [{status: 403, where: {a: \(word)}}]").isEmpty)
        #expect(
            problems("refused: [{status: 403, where: {a: \(word)a}}]")
                == ["6:40: \"where\" must be 1 to 256 bytes of text, without line ends"])
    }
}
