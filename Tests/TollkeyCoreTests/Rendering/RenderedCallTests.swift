import Testing
import TollkeyCore

struct RenderedCallTests {
    private let provider = acme(base: "/api/v1")

    private func filler(_ inputs: [String: String] = [:]) -> TemplateFiller {
        TemplateFiller(
            ValuePlan([ValueSettings(name: "nonce", kind: .uuid)]),
            secrets: ["id": Secret("a b/ü&=+~*"), "quoted": Secret("\"\\\n\u{1}é"), "colon": Secret("a:b")],
            credentials: [:], inputs: inputs.mapValues { Secret($0) }, now: 0,
            cryptography: FakeCryptography())
    }

    private func render(_ call: CallSettings, _ inputs: [String: String] = [:]) throws -> RenderedCall {
        var filler = filler(inputs)
        return try filler.render(call, for: provider)
    }

    private func call(
        _ path: String = "/x", _ change: (inout CallSettings) -> Void = { _ in }
    ) -> CallSettings {
        var call = CallSettings(method: "POST", place: .upstream(path: template(path)))
        change(&call)
        return call
    }

    private func pairs(_ pairs: KeyValuePairs<String, String>) -> [NamedTemplate] {
        pairs.map { NamedTemplate(name: $0, value: template($1)) }
    }

    @Test func `a call on the upstream has its base path`() throws {
        let call = try render(call("/token"))
        #expect(call.method == "POST" && call.place == .upstream && call.target.shown == "/api/v1/token")
        #expect(call.headers == [] && call.content == nil && call.contentType == nil && !call.isAuthenticated)
    }

    @Test func `a call elsewhere has the path as it is`() throws {
        let url = UpstreamURL(scheme: .https, host: "login.acme.test", port: 8_443, basePath: "")
        var settings = call()
        settings.isAuthenticated = true
        for (path, target) in [("/token", "/token"), ("", "/")] {
            settings.place = .elsewhere(url: url, path: template(path))
            let call = try render(settings)
            #expect(call.place == .elsewhere(url) && call.target.shown == target && call.isAuthenticated)
        }
    }

    @Test func `what goes into a path stays in its segment`() throws {
        #expect(
            try render(call("/apps/${secret.id}/key")).target.shown
                == "/api/v1/apps/a%20b%2F%C3%BC%26%3D%2B~%2A/key")
    }

    @Test(arguments: ["..", ".", "%2e."])
    func `what goes into a path makes no dot segment`(_ id: String) throws {
        let isDots = !id.contains("%")
        let settings = call("/apps/${input.id}/key")
        if isDots {
            #expect(throws: RenderingError.invalidPath) { try render(settings, ["id": id]) }
        } else {
            #expect(try render(settings, ["id": id]).target.shown == "/api/v1/apps/%252e./key")
        }
    }

    @Test(arguments: ["/a b", "/a\r\n", "/a#b", "/é"])
    func `a path of what no path may hold is refused`(_ path: String) {
        #expect(throws: RenderingError.invalidPath) { try render(call(path)) }
    }

    @Test func `query parameters are percent-encoded, and left out when their input was not given`() throws {
        let settings = call("/x") {
            $0.query = pairs([
                "a b": "${secret.id}", "none": "${input.none}", "both": "${input.none}${input.other}",
                "t": "x",
                "e": "",
            ])
        }
        #expect(
            try render(settings).target.shown == "/api/v1/x?a%20b=a%20b%2F%C3%BC%26%3D%2B~%2A&t=x&e=")
        #expect(
            try render(settings, ["none": "1", "other": "2"]).target.shown.hasSuffix("&none=1&both=12&t=x&e=")
        )
        #expect(throws: RenderingError.missing("other")) { try render(settings, ["none": "1"]) }
        #expect(
            try render(call("/x?v=2") { $0.query = pairs(["a": "b"]) }).target.shown == "/api/v1/x?v=2&a=b")
    }

    @Test func `a form is encoded as forms are`() throws {
        let call = try render(
            call {
                $0.content = .form(
                    pairs(["grant_type": "refresh_token", "id": "${secret.id}", "scope": "${input.scope}"]))
            })
        #expect(call.content?.shown == "grant_type=refresh_token&id=a+b%2F%C3%BC%26%3D%2B%7E*")
        #expect(call.contentType == "application/x-www-form-urlencoded")
    }

    @Test func `JSON is quoted, in its order, without what was not given`() throws {
        let settings = call {
            $0.content = .json(
                .object([
                    .init(name: "a\"b", value: .text(template("x${secret.quoted}"))),
                    .init(name: "none", value: .text(template("${input.none}"))),
                    .init(name: "n", value: .literal("12.50")),
                    .init(
                        name: "list",
                        value: .array([.text([]), .text(template("${input.none}")), .literal("null")])),
                    .init(
                        name: "in",
                        value: .object([.init(name: "none", value: .text(template("${input.none}")))])),
                ]))
        }
        let call = try render(settings)
        #expect(
            call.content?.shown
                == #"{"a\"b":"x\"\\\u000a\u0001é","n":12.50,"list":["",null],"in":{}}"#)
        #expect(call.contentType == "application/json")
        #expect(
            try render(settings, ["none": "1"]).content?.shown.hasSuffix(
                #""none":"1","n":12.50,"list":["","1",null],"in":{"none":"1"}}"#) == true)
    }

    @Test func `what was left out elsewhere is missing in a longer text`() {
        let settings = call {
            $0.content = .json(.object([.init(name: "a", value: .text(template("x${input.none}")))]))
        }
        #expect(throws: RenderingError.missing("none")) { try render(settings) }
    }

    /// RFC 7617 section 2: user and password as they are.
    @Test func `Basic takes user and password as they are`() throws {
        var settings = call()
        settings.basic = .init(user: template("Aladdin"), password: template("open sesame"))
        #expect(
            try render(settings).headers.map { "\($0.name): \($0.value.shown)" }
                == ["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
        settings.basic = .init(user: template("a"), password: template("${secret.colon}"))
        #expect(try render(settings).headers[0].value.shown == "Basic YTphOmI=")
        settings.basic = .init(user: template("${secret.colon}"), password: template("p"))
        #expect(throws: RenderingError.invalidUser) { try render(settings) }
    }

    @Test func `headers are filled, and refused with a line's end`() throws {
        var settings = call()
        settings.headers = [InjectedHeader(name: "X-Id", value: template("${input.id}-${value.nonce}"))]
        #expect(
            try render(settings, ["id": "7"]).headers.map(\.value.shown)
                == ["7-01010101-0101-4101-8101-010101010101"])
        #expect(throws: RenderingError.invalidHeader("X-Id")) { try render(settings, ["id": "7\r\nHost: b"]) }
        #expect(throws: RenderingError.missing("id")) { try render(settings) }
    }

    @Test func `a call's own Content-Type counts`() throws {
        let call = try render(
            call {
                $0.content = .json(.object([]))
                $0.headers = [InjectedHeader("content-TYPE", "application/vnd.acme+json")]
            })
        #expect(call.contentType == nil && call.headers.count == 1 && call.content?.shown == "{}")
    }

    @Test func `the URL for a browser is whole`() throws {
        var filler = filler(["state": "s s"])
        let query = pairs(["scope": "a b", "state": "${input.state}", "challenge": "${input.challenge}"])
        #expect(
            try filler.url(.upstream(path: template("/authorize")), query: query, for: provider).shown
                == "https://api.acme.test/api/v1/authorize?scope=a%20b&state=s%20s")
        let elsewhere = UpstreamURL(scheme: .http, host: "::1", port: 8_080, basePath: "")
        #expect(
            try filler.url(.elsewhere(url: elsewhere, path: template("/a")), query: [], for: provider).shown
                == "http://[::1]:8080/a")
    }

    @Test func `no secret shows in a call`() throws {
        var filler = TemplateFiller(
            ValuePlan([]), secrets: ["s": Secret("hunter2")], credentials: [:],
            cryptography: FakeCryptography())
        var settings = call("/x/${secret.s}") {
            $0.query = pairs(["a": "${secret.s}"])
            $0.content = .form(pairs(["a": "${secret.s}"]))
            $0.headers = [InjectedHeader(name: "X", value: template("${secret.s}"))]
        }
        settings.basic = .init(user: [], password: template("${secret.s}"))
        expectHidden(try filler.render(settings, for: provider))
    }
}
