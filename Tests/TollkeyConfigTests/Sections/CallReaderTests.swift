import Testing
import TollkeyConfig
import TollkeyCore

struct CallReaderTests {
    private func call(_ lines: String) throws -> CallSettings {
        try #require(try credential(read + "obtain: \(lines)").obtain)
    }

    /// Of a call in line 9, from column 17 on.
    private func problems(_ lines: String) -> [String] { credentialProblems(read + "obtain: \(lines)") }

    @Test(arguments: ["get", "post", "put", "patch", "delete"])
    func `a method and a path are a call on the upstream`(_ method: String) throws {
        let expected = CallSettings(
            method: method.uppercased(), place: .upstream(path: [.text("/oauth/token")]))
        #expect(try call("{\(method): /oauth/token}") == expected)
    }

    @Test func `every key of a call lands in its setting`() throws {
        var expected = CallSettings(method: "POST", place: .upstream(path: [.text("/t")]))
        expected.query = [NamedTemplate(name: "a", value: [.text("b")])]
        expected.headers = [InjectedHeader(name: "X-Foo", value: [.text("k "), .secret("key")])]
        expected.content = .form([
            NamedTemplate(name: "grant_type", value: [.text("client_credentials")]),
            NamedTemplate(name: "client_secret", value: [.secret("key")]),
            NamedTemplate(name: "empty", value: []),
        ])
        expected.basic = .init(user: [.text("me")], password: [.secret("key")])
        #expect(
            try call(
                """
                {post: /t, query: {a: b}, headers: {X-Foo: "k ${key}"}, authenticated: false,
                        form: {grant_type: client_credentials, client_secret: "${key}", empty: ""},
                        basic: {user: me, password: "${key}"}}
                """) == expected)
    }

    @Test(arguments: [
        ("https://Login.test/oauth/token", "login.test", 443, "/oauth/token"),
        ("https://login.test", "login.test", 443, "/"),
        ("https://login.test:8443/a/", "login.test", 8_443, "/a/"),
        ("http://127.0.0.1:81/t", "127.0.0.1", 81, "/t"),
    ])
    func `a URL is a call on another host`(_ text: String, _ host: String, _ port: Int, _ path: String) throws
    {
        let scheme: UpstreamURL.Scheme = text.hasPrefix("https") ? .https : .http
        let url = UpstreamURL(scheme: scheme, host: host, port: port, basePath: "")
        #expect(try call("{post: \"\(text)\"}").place == .elsewhere(url: url, path: [.text(path)]))
    }

    @Test func `secrets may stand in a path`() throws {
        #expect(
            try call("{post: \"/apps/${key}/token\"}").place
                == .upstream(path: [.text("/apps/"), .secret("key"), .text("/token")]))
    }

    @Test(arguments: [
        ("{post: oauth}", "must be a path that begins with \"/\", or a URL that begins with https://"),
        ("{post: ftp://a/b}", "must be a URL that begins with https://"),
        ("{post: \"/a?b=c\"}", "has a query in it; write it under \"query\""),
        ("{post: \"/a#b\"}", "has a fragment (\"#\"); take it out"),
        ("{post: /a//b}", "has \"//\" in its path; write one slash"),
        ("{post: /a/../b}", "has a dot segment in its path; write the path that is meant"),
        ("{post: \"/a/%2e%2e/b\"}", "has a dot segment in its path; write the path that is meant"),
        ("{post: \"/a b\"}", "has a character in its path that must be encoded"),
        ("{post: \"https://${key}.test/t\"}", "has a \"${…}\" in its host; write the host out"),
        (
            "{post: \"https://me:pw@a.test/t\"}",
            "has a user or password in it; put them under \"secrets\" and name them in \"inject\""
        ),
        (
            "{post: \"http://login.test/t\"}",
            "is plain HTTP to another machine, so that everybody on the way could read the credentials; write https://"
        ),
    ])
    func `a place that two could understand differently, or all could read, is a problem`(
        _ call: String, _ message: String
    ) {
        #expect(problems(call) == ["9:24: \"post\" \(message)"])
    }

    @Test(arguments: [
        (
            "{form: {a: b}}",
            "9:9: this call has no address; write one of get, post, put, patch, delete, as in post: /oauth/token"
        ),
        (
            "{get: /a, post: /b}",
            """
            9:27: a call is made once: there is "get" and "post"; keep one of them (write ~ for one of a \
            description's)
            """
        ),
        (
            "{post: /a, form: {a: b}, json: {a: b}}",
            """
            9:42: a call has one content: there is "form" and "json"; keep one of them (write ~ for one of a \
            description's)
            """
        ),
        (
            "{get: /a, json: {a: b}}",
            "9:18: a GET has no content; write its fields under \"query\", or make it a post"
        ),
        ("{post: /a, basic: {user: a}}", "9:28: \"basic\" needs a \"user\" and a \"password\"; give both"),
        (
            "{post: /a, basic: {user: a, password: \"${key}\"}, headers: {authorization: \"${key}\"}}",
            "9:28: \"basic\" makes the header Authorization, which \"headers\" sets too; keep one of them"
        ),
        (
            "{post: /a, form: {a: }}",
            "9:35: \"form\" has a field without a value; give it one, or take it out"
        ),
        ("{post: /a, query: {a: [b]}}", "9:39: \"a\" must be text; found a list"),
        (
            "{post: /a, form: {a: \"x\\ny\"}}",
            "9:38: \"a\" has a control character or a line end in it; take it out"
        ),
        (
            "{post: /a, headers: {Host: a}}",
            "9:38: a name in \"headers\" is a header that the proxy manages on each connection by itself; take it out"
        ),
        ("{post: /a, fom: {a: b}}", "9:28: \"fom\" is an unknown key; did you mean \"form\"?"),
        ("{post: /a, authenticated: yes}", "9:43: \"authenticated\" must be true or false, without quotes"),
        ("/a", "9:17: \"obtain\" must be a map (\"key: value\" lines below it); found text"),
    ])
    func `a call that nobody could make is a problem`(_ call: String, _ expected: String) {
        #expect(problems(call) == [expected])
    }

    @Test(arguments: [
        "form: {client_secret: hunter2}", "form: {Password: hunter2}", "json: {a: {api-key: hunter2}}",
        "query: {api_key: hunter2}", "headers: {Authorization: Bearer hunter2}",
        "basic: {user: a, password: hunter2}",
    ])
    func `a secret in clear is a problem that does not show it`(_ line: String) {
        let found = problems("{post: /a, \(line)}")
        #expect(found.count == 1)
        #expect(found.first?.contains("looks like a secret in clear; put it under \"secrets\" as ") == true)
        #expect(found.first?.contains("hunter2") == false)
    }

    @Test func `fields go up to their bound`() {
        func fields(_ count: Int) -> String {
            "{post: /a, form: {" + (0..<count).map { "f\($0): a" }.joined(separator: ", ") + "}}"
        }
        #expect(problems(fields(Bounds.callFields)).isEmpty)
        #expect(
            problems(fields(Bounds.callFields + 1)) == ["9:28: \"form\" has more than 64 entries; shorten it"]
        )
        let name = String(repeating: "a", count: Bounds.fieldNameBytes)
        #expect(problems("{post: /a, form: {\(name): a}}").isEmpty)
        #expect(
            problems("{post: /a, form: {\(name)a: a}}")
                == ["9:35: \"form\" has a field whose name is too long or holds a line end; shorten it"])
    }

    @Test func `JSON is maps, lists, texts and what JSON has besides`() throws {
        let content = try call(
            """
            {post: /a, json: {s: "k ${key}", n: 12, f: -1.5e3, t: true, f2: false, z: null, q: "12", o: 010,
                    w: yes, l: [1, a, {m: "${key}"}], e: "", d: {}}}
            """
        ).content
        #expect(
            content
                == .json(
                    .object([
                        .init(name: "s", value: .text([.text("k "), .secret("key")])),
                        .init(name: "n", value: .literal("12")), .init(name: "f", value: .literal("-1.5e3")),
                        .init(name: "t", value: .literal("true")),
                        .init(name: "f2", value: .literal("false")),
                        .init(name: "z", value: .literal("null")),
                        .init(name: "q", value: .text([.text("12")])),
                        .init(name: "o", value: .text([.text("010")])),
                        .init(name: "w", value: .text([.text("yes")])),
                        .init(
                            name: "l",
                            value: .array([
                                .literal("1"), .text([.text("a")]),
                                .object([.init(name: "m", value: .text([.secret("key")]))]),
                            ])),
                        .init(name: "e", value: .text([])), .init(name: "d", value: .object([])),
                    ])))
    }

    @Test(arguments: ["01", "1.", ".5", "+1", "1e", "0x1F", "1_000", "-", "nan", "True", "1a"])
    func `what JSON takes for no number is text`(_ text: String) throws {
        #expect(try call("{post: /a, json: [\(text)]}").content == .json(.array([.text([.text(text)])])))
    }

    @Test func `JSON is a map or a list, as deep and as large as its bounds`() {
        #expect(
            problems("{post: /a, json: text}")
                == ["9:34: \"json\" must be a map or a list, as the content is; found text"])
        #expect(
            problems("{post: /a, json: {a: }}")
                == ["9:35: \"json\" has a field without a value; give it one, or take it out"])
        func nested(_ depth: Int) -> String {
            "{post: /a, json: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + "}"
        }
        let message = "a JSON content has at most 256 values, 8 levels deep; shorten it"
        #expect(problems(nested(Bounds.jsonDepth)).isEmpty)
        #expect(problems(nested(Bounds.jsonDepth + 1)) == ["9:42: \(message)"])
        func long(_ count: Int) -> String {
            "{post: /a, json: [" + Array(repeating: "1", count: count).joined(separator: ",") + "]}"
        }
        #expect(problems(long(Bounds.jsonNodes - 1)).isEmpty)
        #expect(problems(long(Bounds.jsonNodes + 5)).count == 1)
    }
}
