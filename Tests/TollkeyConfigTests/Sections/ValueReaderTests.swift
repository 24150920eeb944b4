import Testing
import TollkeyConfig
import TollkeyCore

struct ValueReaderTests {
    /// A provider whose header uses each of these values, which begin in line 5, column 14.
    private func file(_ values: String, using names: [String] = ["v"]) -> String {
        """
        upstream: https://a.test
        inject: {X-V: "\(names.map { "${\($0)}" }.joined())", X-Key: "${key}"}
        values: {\(values)}
        secrets: {key: "${env:KEY}", pem: "${file:/k.pem}"}
        """.replacing(
            ", pem: \"${file:/k.pem}\"", with: values.contains("${pem}") ? ", pem: \"${file:/k.pem}\"" : "")
    }

    private func problems(_ values: String, using names: [String] = ["v"]) -> [String] {
        providerProblems(file(values, using: names))
    }

    @Test(arguments: [
        ("uuid", ValueSettings.Kind.uuid),
        ("{random: 16}", .random(16, as: .hex)),
        ("{random: 1, as: base64url}", .random(1, as: .base64url)),
        ("{time: rfc3339}", .time(.rfc3339)),
        ("{time: http}", .time(.http)),
        ("{time: unix}", .time(.unix)),
        ("{time: unix_ms}", .time(.unixMilliseconds)),
        ("{base64: \"me:${key}\"}", .encoded([.text("me:"), .secret("key")], as: .base64)),
        ("{base64url: \"${key}\"}", .encoded([.secret("key")], as: .base64url)),
        ("{hex: \"\"}", .encoded([], as: .hex)),
        ("{hash: md5, of: \"${request.body}\"}", .hash(.md5, of: [.request(.body)], as: .hex)),
        (
            "{hmac: sha512, key: \"${key}&\", of: \"${request.method}\\n${request.target}\", as: base64}",
            .hmac(
                .sha512, key: [.secret("key"), .text("&")],
                of: [.request(.method), .text("\n"), .request(.target)], as: .base64)
        ),
        (
            "{rsa: sha256, key: \"${pem}\", of: \"${request.url}\"}",
            .rsa(.sha256, key: [.secret("pem")], of: [.request(.url)], as: .base64)
        ),
        (
            "{jwt: HS256, key: \"${key}\", claims: {a: \"${request.host}\", b: c}}",
            .jwt(
                key: [.secret("key")],
                claims: [
                    NamedTemplate(name: "a", value: [.request(.host)]),
                    NamedTemplate(name: "b", value: [.text("c")]),
                ])
        ),
    ])
    func `each kind of value lands in its setting`(_ value: String, _ kind: ValueSettings.Kind) throws {
        #expect(try provider(file("v: \(value)")).values == [ValueSettings(name: "v", kind: kind)])
    }

    @Test func `every part of the request has a name`() throws {
        let parts: [(String, RequestPart)] = [
            ("method", .method), ("path", .path), ("query", .query), ("target", .target), ("url", .url),
            ("host", .host), ("body", .body), ("header.X-Id", .header("x-id")),
            ("field.a.b", .field([.member("a"), .member("b")])),
            ("field.items[0]", .field([.member("items"), .element(0)])),
        ]
        for (name, part) in parts {
            let values = try provider(file("v: {hex: \"${request.\(name)}\"}")).values
            #expect(values.first?.kind == .encoded([.request(part)], as: .hex))
        }
    }

    @Test(arguments: [
        ("v: now", "5:17: \"v\" must be uuid, or a map such as {time: rfc3339}; found text"),
        ("v: [uuid]", "5:17: \"v\" must be uuid, or a map such as {time: rfc3339}; found a list"),
        ("v: ", "5:14: a value has nothing below its name; fill it in, or take it out"),
        (
            "\"a b\": uuid, v: uuid",
            "5:14: the name of a value is 1 to 64 letters, digits, \"_\" and \"-\"; rename this one"
        ),
        (
            "v: {as: hex}",
            """
            5:14: this value does not say what it is; write one of random, time, base64, base64url, hex, hash, \
            hmac, rsa, jwt
            """
        ),
        ("v: {random: 8, time: unix}", "5:29: a value is one thing: keep \"random\" or \"time\""),
        ("v: {time: unix, as: hex}", "5:30: \"as\" has no meaning beside \"time\"; take it out"),
        ("v: {hash: sha256}", "5:14: \"hash\" needs \"of\"; add it"),
        ("v: {hmac: sha256, of: a}", "5:14: \"hmac\" needs \"key\"; add it"),
        ("v: {jwt: HS256, key: \"${key}\"}", "5:14: \"jwt\" needs \"claims\"; add it"),
        (
            "v: {hash: sha257, of: a}",
            "5:24: \"hash\" must be one of md5, sha1, sha256, sha384, sha512; did you mean \"sha256\"?"
        ),
        ("v: {jwt: none, key: \"${key}\", claims: {}}", "5:23: \"jwt\" must be one of HS256"),
        ("v: {time: iso}", "5:24: \"time\" must be one of rfc3339, http, unix, unix_ms"),
        ("v: {random: 0}", "5:26: \"random\" must be a whole number from 1 to 256"),
        ("v: {random: 257}", "5:26: \"random\" must be a whole number from 1 to 256"),
        ("v: {hahs: md5, of: a, hash: md5}", "5:18: \"hahs\" is an unknown key; did you mean \"hash\"?"),
        (
            "v: {hex: \"${request.boddy}\"}",
            """
            5:23: "hex" names no part of the request; did you mean "body"?; there are body, host, method, path, \
            query, target, url, field, header
            """
        ),
        (
            "v: {hex: \"${request.header.a b}\"}",
            """
            5:23: "hex" names no header of the request; write ${request.body}, ${request.field.amount} or \
            ${request.header.X-Id}
            """
        ),
        (
            "v: {hex: \"${request}\"}",
            """
            5:23: "hex" names the request as a whole; name a part, such as ${request.body}, \
            ${request.field.amount} or ${request.header.X-Id}
            """
        ),
        (
            "v: {hex: \"${request.field.}\"}",
            "5:23: \"hex\" has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\""
        ),
    ])
    func `a value that says nothing, or too much, is a problem`(_ values: String, _ expected: String) {
        #expect(problems(values) == [expected])
    }

    @Test func `a key in clear is a problem`() {
        let found = problems("v: {hmac: sha256, key: hunter2, of: a}")
        #expect(found.count == 1)
        #expect(found.first?.contains("looks like a secret in clear") == true)
    }

    @Test func `values stand behind those that they are made of`() throws {
        let values = try provider(
            file("a: {hex: \"${b}${c}\"}, b: {hex: \"${c}\"}, d: uuid, c: {time: unix}", using: ["a", "d"])
        ).values
        #expect(values.map(\.name) == ["d", "c", "b", "a"])
    }

    @Test func `a value that is made of itself in the end is a problem`() {
        let message = "is made of itself in the end; break the circle"
        #expect(problems("v: {hex: \"${v}\"}") == ["5:14: the value \"v\" \(message)"])
        #expect(
            problems("v: {hex: \"${a}\"}, a: {hex: \"${b}\"}, b: {hex: \"${a}\"}")
                == ["5:32: the value \"a\" \(message)"])
    }

    @Test func `what is made of the call cannot be sent where there is none, however far away it is`() {
        #expect(
            credentialProblems(
                read + "obtain: {post: /t, form: {a: \"${v}\"}}",
                further: "values: {w: {hex: \"${request.body}\"}, v: {hex: \"${w}\"}}") == [
                    """
                    9:38: "a" names the value "v", which depends on the call that is forwarded; only "inject", \
                    "defaults", "inject_query" and other values can
                    """
                ])
        #expect(
            credentialProblems(read + "obtain: {post: /t, form: {a: \"${request.body}\"}}") == [
                """
                9:38: "a" names a part of the call that is forwarded, which only "inject", "defaults", \
                "inject_query" and "values" can
                """
            ])
    }

    @Test func `time and chance can be sent anywhere`() throws {
        let access = try credential(
            read + "obtain: {post: /t, headers: {X-Id: \"${v}\"}}", further: "values: {v: uuid}")
        #expect(access.obtain?.headers == [InjectedHeader(name: "X-Id", value: [.value("v")])])
    }

    @Test func `a value that nothing uses is a problem`() {
        #expect(
            problems("v: uuid, w: uuid") == [
                "5:23: nothing uses the value \"w\"; write \"${w}\" where it belongs, or take it out"
            ])
    }

    @Test func `values go up to their bound`() {
        func many(_ count: Int) -> [String] {
            let names = (0..<count).map { "v\($0)" }
            return problems(names.map { "\($0): uuid" }.joined(separator: ", "), using: names)
        }
        #expect(many(Bounds.values).isEmpty)
        #expect(many(Bounds.values + 1).first == "5:5: \"values\" has more than 32 entries; shorten it")
    }
}
