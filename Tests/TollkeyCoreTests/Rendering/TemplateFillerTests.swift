import Testing
import TollkeyCore

struct TemplateFillerTests {
    private func filler(
        _ values: [ValueSettings] = [], cryptography: FakeCryptography = FakeCryptography()
    ) -> TemplateFiller {
        TemplateFiller(
            ValuePlan(values), secrets: ["k": Secret("key"), "pem": Secret("PEM"), "empty": Secret("")],
            credentials: ["access": Secret("tok"), "access.tenant": Secret("t7")],
            inputs: ["code": Secret("c0")], now: 1_768_473_000_500, cryptography: cryptography)
    }

    private func fill(_ notation: String, _ values: [ValueSettings] = []) throws -> String {
        var filler = filler(values)
        return try filler.fill(template(notation)).shown
    }

    @Test func `each piece comes from its place`() throws {
        #expect(
            try fill(
                "a${secret.k}b${credential.access}c${credential.access.tenant}d${input.code}${secret.empty}")
                == "akeybtokct7dc0")
        #expect(try fill("") == "")
    }

    @Test(arguments: [
        ("${secret.x}", "x"), ("${credential.access.x}", "access.x"), ("${input.x}", "x"),
        ("${value.x}", "x"),
        ("${request.method}", "request.method"), ("${request.field.a}", "request.field"),
        ("${request.header.x-y}", "request.header.x-y"),
    ])
    func `a missing piece is named`(_ notation: String, _ name: String) {
        #expect(throws: RenderingError.missing(name)) { try fill("a" + notation) }
        #expect(RenderingError.missing(name).words == "nothing is held for ${\(name)}")
    }

    private func one(_ kind: ValueSettings.Kind) throws -> String {
        try fill("${value.v}", [ValueSettings(name: "v", kind: kind)])
    }

    @Test(arguments: [
        (TimeFormat.rfc3339, "2026-01-15T10:30:00Z"), (.http, "Thu, 15 Jan 2026 10:30:00 GMT"),
        (.unix, "1768473000"), (.unixMilliseconds, "1768473000500"),
    ])
    func `the time is written in its format`(_ format: TimeFormat, _ expected: String) throws {
        #expect(try one(.time(format)) == expected)
    }

    /// RFC 9562 section 5.4: the version and the variant stand in the random bytes.
    @Test func `a UUID is of version 4`() throws {
        #expect(try one(.uuid) == "01010101-0101-4101-8101-010101010101")
    }

    @Test func `digests, signatures and encodings are over what their templates come to`() throws {
        #expect(try one(.encoded(template("${secret.k}:${input.code}"), as: .base64)) == "a2V5OmMw")
        #expect(try one(.random(3, as: .hex)) == "010101")
        let signed = try [
            one(.hash(.md5, of: template("x${secret.k}"), as: .base64url)),
            one(.hmac(.sha512, key: template("${secret.k}"), of: template("x"), as: .base64url)),
            one(.rsa(.sha256, key: template("${secret.pem}"), of: template("y"), as: .base64url)),
        ]
        #expect(
            signed.map { decoded(base64url: $0) } == ["md5(xkey)", "sha512[key](x)", "rsa-sha256[PEM](y)"])
    }

    @Test func `a JWT has its claims in their order, as text, and dates as numbers`() throws {
        let claims = [
            ("appId", "${credential.access}"), ("ti\"me", "2026\n"), ("exp", "1768473000"), ("iat", "x"),
            ("nbf", "017"),
        ]
        let token = try one(
            .jwt(
                key: template("${secret.k}"),
                claims: claims.map { NamedTemplate(name: $0, value: template($1)) }))
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        #expect(decoded(base64url: parts[0]) == #"{"alg":"HS256","typ":"JWT"}"#)
        #expect(
            decoded(base64url: parts[1])
                == #"{"appId":"tok","ti\"me":"2026\u000a","exp":1768473000,"iat":"x","nbf":"017"}"#)
        #expect(decoded(base64url: parts[2]) == "sha256[key](\(parts[0]).\(parts[1]))")
    }

    @Test func `a value is computed once, wherever it is used`() throws {
        let values = [
            ValueSettings(name: "nonce", kind: .random(1, as: .hex)),
            ValueSettings(name: "signed", kind: .hash(.sha1, of: template("${value.nonce}"), as: .hex)),
        ]
        var filler = filler(values)
        #expect(
            try filler.fill(template("${value.signed}")).shown
                == text(TextEncoding.hex.encode(bytes("sha1(01)"))))
        #expect(try filler.fill(template("${value.nonce}${value.nonce}")).shown == "0101")
    }

    @Test func `a value finds no later one, and not itself`() {
        let values = [
            ValueSettings(name: "a", kind: .encoded(template("${value.b}"), as: .hex)),
            ValueSettings(name: "b", kind: .encoded(template("${value.b}"), as: .hex)),
        ]
        #expect(throws: RenderingError.missing("b")) { try fill("${value.a}", values) }
        #expect(throws: RenderingError.missing("b")) { try fill("${value.b}", values) }
    }

    @Test func `without chance nothing is made of it`() {
        for kind in [ValueSettings.Kind.uuid, .random(4, as: .hex)] {
            var filler = filler(
                [ValueSettings(name: "v", kind: kind)], cryptography: FakeCryptography(isOutOfChance: true))
            #expect(throws: RenderingError.noChance) { try filler.fill(template("${value.v}")) }
        }
    }

    @Test func `a key that is none is named by its value`() {
        #expect(throws: RenderingError.unusableKey("v")) {
            try one(.rsa(.sha256, key: template("${secret.k}"), of: [], as: .hex))
        }
    }

    @Test(arguments: ["a\r\nB: c", "a\n", "\r", "a\u{0}", "a\u{7f}b", "a\u{1b}"])
    func `a header's value holds no control character`(_ value: String) {
        var filler = TemplateFiller(
            ValuePlan([]), secrets: ["s": Secret(value)], credentials: [:], cryptography: FakeCryptography())
        let header = InjectedHeader(name: "X-Key", value: [.text("k "), .secret("s")])
        #expect(throws: RenderingError.invalidHeader("X-Key")) { try filler.fill(header) }
    }

    @Test func `a header's value may hold a tab and what is beyond ASCII`() throws {
        var filler = filler()
        let header = try filler.fill(InjectedHeader("X-Key", "a\té"))
        #expect(header.name == "X-Key" && header.value.shown == "a\té")
    }

    @Test func `no secret shows in a filler or in what it fills`() throws {
        var filler = TemplateFiller(
            ValuePlan([ValueSettings(name: "v", kind: .encoded([.secret("s")], as: .hex))]),
            secrets: ["s": Secret("hunter2")], credentials: ["c": Secret("hunter2")],
            inputs: ["i": Secret("hunter2")], cryptography: FakeCryptography())
        _ = try filler.fill(template("${value.v}"))
        expectHidden(filler)
        expectHidden(try filler.fill(InjectedHeader(name: "A", value: [.credential("c")])))
    }
}
