import Testing
import TollkeyCore

/// Snapshots of providers that compute values: what is made once for a generation, and what for each request.
struct LiveSnapshotTests {
    private let occasion = Occasion(now: 1_768_473_000_500)

    private func snapshot(
        _ provider: ProviderSettings, cryptography: any Cryptography = FakeCryptography()
    ) throws -> CredentialSnapshot {
        try CredentialSnapshot(
            generation: 4, provider: provider, secrets: provider.secrets,
            credentials: ["access": Secret("tok")], expires: Deadline(wall: 9, monotonic: 9),
            cryptography: cryptography)
    }

    private func write(
        _ text: String, _ provider: ProviderSettings, _ snapshot: CredentialSnapshot, content: String? = nil,
        added: [RenderedHeader] = []
    ) throws -> String {
        let head = try request(text)
        let occasion = Occasion(now: occasion.now, content: content.map { Secret($0) })
        return try written {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes(text).span, prefixLength: provider.route.utf8.count, credential: snapshot,
                occasion: occasion, added: added, into: $0)
        }
    }

    /// What is written for `call`, less the `Host` and `Via` lines.
    private func send(
        _ call: String, _ lines: String = "", content: String? = nil, added: [RenderedHeader] = [],
        _ change: (inout ProviderSettings) -> Void
    ) throws -> String {
        let provider = acme(base: "/v1", change)
        return try write(
            "\(call) HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", provider, snapshot(provider), content: content,
            added: added
        )
        .replacing(" HTTP/1.1\r\nHost: api.acme.test\r\n", with: "\r\n")
        .replacing("Via: 1.1 p\r\n\r\n", with: "")
    }

    private func value(_ name: String, _ kind: ValueSettings.Kind) -> ValueSettings {
        ValueSettings(name: name, kind: kind)
    }

    /// A value that shows what its template comes to.
    private func signed(_ name: String, _ notation: String) -> ValueSettings {
        value(name, .hash(.sha1, of: template(notation), as: .base64url))
    }

    /// The values of header `name` in `written`, decoded, without what the hash puts around them.
    private func shown(_ written: String, _ name: String) -> [String] {
        written.split(separator: "\r\n").filter { $0.hasPrefix(name + ": ") }.map {
            String(decoded(base64url: $0.dropFirst(name.count + 2)).dropFirst(5).dropLast())
        }
    }

    @Test func `what secrets and credentials decide is made once`() throws {
        let provider = acme {
            $0.secrets = ["k": Secret("key")]
            $0.values = [
                value("pair", .encoded(template("${secret.k}:${credential.access}"), as: .base64)),
                value("unused", .uuid),
            ]
            $0.inject = [
                InjectedHeader(name: "Authorization", value: template("Basic ${value.pair}")),
                InjectedHeader(name: "X-Tok", value: template("${credential.access}")),
            ]
        }
        let snapshot = try snapshot(provider)
        #expect(snapshot.isConstant && !snapshot.needsContent)
        #expect(snapshot.generation == 4 && snapshot.expires == Deadline(wall: 9, monotonic: 9))
        #expect(
            written { snapshot.write(into: $0) } == "Authorization: Basic a2V5OnRvaw==\r\nX-Tok: tok\r\n")
        let text = "GET /acme/x HTTP/1.1\r\nHost: a\r\nx-tok: mine\r\n\r\n"
        let head = try request(text)
        let all = try written {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes(text).span, prefixLength: 5, credential: snapshot, into: $0)
        }
        #expect(all.contains("\r\nX-Tok: tok\r\n") && !all.contains("mine"))
    }

    @Test func `a snapshot that lacks something is none`() {
        let provider = acme {
            $0.inject = [InjectedHeader(name: "A", value: template("${credential.other}"))]
        }
        #expect(throws: RenderingError.missing("other")) { try snapshot(provider) }
        let ended = acme {
            $0.secrets = ["k": Secret("a\r\nb")]
            $0.defaults = [InjectedHeader(name: "A", value: template("${secret.k}"))]
        }
        #expect(throws: RenderingError.invalidHeader("A")) { try snapshot(ended) }
    }

    @Test func `a key that cannot sign is known before the first request`() throws {
        func provider(_ key: String) -> ProviderSettings {
            acme {
                $0.secrets = ["k": Secret(key)]
                $0.values = [
                    value(
                        "s",
                        .rsa(.sha256, key: template("${secret.k}"), of: template("${request.url}"), as: .hex))
                ]
                $0.inject = [InjectedHeader(name: "A", value: template("${value.s}"))]
            }
        }
        #expect(throws: RenderingError.unusableKey("s")) { try snapshot(provider("none")) }
        #expect(try !snapshot(provider("PEM")).isConstant)
    }

    @Test func `what is made for a request is made anew for the next, and for a replay`() throws {
        let provider = acme {
            $0.values = [value("n", .random(1, as: .hex))]
            $0.inject = [
                InjectedHeader("X-Fixed", "f"),
                InjectedHeader(name: "X-Nonce", value: template("${value.n}")),
                InjectedHeader(name: "X-Again", value: template("${value.n}")),
            ]
        }
        let snapshot = try snapshot(provider)
        #expect(!snapshot.isConstant)
        for nonce in ["01", "02"] {
            let all = try write("GET /acme HTTP/1.1\r\nHost: a\r\n\r\n", provider, snapshot)
            #expect(all.contains("\r\nX-Fixed: f\r\nX-Nonce: \(nonce)\r\nX-Again: \(nonce)\r\nVia"))
        }
    }

    @Test func `without an occasion nothing is written that would lack its parts`() throws {
        let provider = acme {
            $0.values = [value("n", .uuid)]
            $0.inject = [InjectedHeader(name: "X-Nonce", value: template("${value.n}"))]
        }
        let head = try request("GET /acme HTTP/1.1\r\nHost: a\r\n\r\n")
        let snapshot = try snapshot(provider)
        #expect(throws: RenderingError.missing("request")) {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes("GET /acme HTTP/1.1\r\nHost: a\r\n\r\n").span, prefixLength: 5,
                credential: snapshot, into: Buffer(capacity: 16))
        }
    }

    @Test(arguments: [
        ("GET /acme/a%20b?x=1&y", "GET|/v1/a%20b|x=1&y|/v1/a%20b?x=1&y|https://api.acme.test/v1/a%20b?x=1&y"),
        ("PATCH /acme", "PATCH|/v1||/v1|https://api.acme.test/v1"),
        ("GET /acme/?", "GET|/v1/||/v1/?|https://api.acme.test/v1/?"),
    ])
    func `a request is signed as the provider will see it`(_ call: String, _ expected: String) throws {
        let all = try send(call) {
            $0.values = [
                signed(
                    "s",
                    "${request.method}|${request.path}|${request.query}|${request.target}|${request.url}")
            ]
            $0.inject = [InjectedHeader(name: "Sig", value: template("${value.s}"))]
        }
        #expect(shown(all, "Sig") == [expected])
    }

    @Test func `headers that the client sent can be signed, several of one name as a list`() throws {
        let all = try send("GET /acme", "X-A:  1 \r\nx-a: 2\r\nAuthorization: mine\r\n") {
            $0.values = [
                signed(
                    "s",
                    "${request.host}|${request.header.x-a}|${request.header.authorization}|${request.header.x-b}"
                )
            ]
            $0.inject = [InjectedHeader(name: "Sig", value: template("${value.s}"))]
        }
        #expect(shown(all, "Sig") == ["api.acme.test|1, 2|mine|"])
    }

    @Test func `the content and its fields can be signed`() throws {
        let content = #"{"amount":12.50,"to":{"id":"é"},"n":null}"#
        func sign(_ notation: String, _ content: String?) throws -> [String] {
            let all = try send("POST /acme", content: content) {
                $0.values = [signed("s", notation)]
                $0.inject = [InjectedHeader(name: "Sig", value: template("${value.s}"))]
            }
            return shown(all, "Sig")
        }
        #expect(try sign("${request.body}", content) == [content])
        #expect(
            try sign(
                "${request.field.amount}|${request.field.to.id}|${request.field.n}|${request.field.x}",
                content)
                == ["12.50|é||"])
        #expect(try sign("${request.field.amount}", "no JSON") == [""])
        #expect(try sign("${request.body}", "") == [""])
        #expect(throws: RenderingError.missing("request.body")) { try sign("${request.body}", nil) }
        #expect(throws: RenderingError.missing("request.field")) { try sign("${request.field.a}", nil) }
    }

    @Test func `a snapshot says that it needs the content`() throws {
        func needs(_ notation: String) throws -> Bool {
            try snapshot(
                acme {
                    $0.values = [signed("s", notation)]
                    $0.injectQuery = [NamedTemplate(name: "sig", value: template("${value.s}"))]
                }
            ).needsContent
        }
        #expect(try needs("${request.body}") && needs("${request.field.a}"))
        #expect(try !needs("${request.url}") && !needs("${credential.access}"))
    }

    @Test func `what a client wrote into a field ends no header line`() throws {
        #expect(throws: RenderingError.invalidHeader("X-Id")) {
            try send("POST /acme", content: #"{"id":"a\r\nHost: b"}"#) {
                $0.inject = [InjectedHeader(name: "X-Id", value: template("${request.field.id}"))]
            }
        }
    }

    @Test(arguments: [
        ("", "X-Nonce: 01\r\n", "01"), ("x-nonce: c7\r\n", "x-nonce: c7\r\n", "c7"),
        ("X_Nonce: c7\r\n", "X_Nonce: c7\r\n", "c7"),
    ])
    func `a default made for each request is set, and signed, unless the client sent its own`(
        _ lines: String, _ written: String, _ signedNonce: String
    ) throws {
        let all = try send("GET /acme", lines) {
            $0.values = [value("n", .random(1, as: .hex)), signed("s", "${request.header.x-nonce}")]
            $0.defaults = [
                InjectedHeader("Accept", "x"), InjectedHeader(name: "X-Nonce", value: template("${value.n}")),
            ]
            $0.inject = [InjectedHeader(name: "Sig", value: template("${value.s}"))]
        }
        #expect(shown(all, "Sig") == [signedNonce])
        #expect(all.contains(written) && all.contains("Accept: x\r\n"))
        #expect(all.lowercased().ranges(of: "nonce: ").count == 1)
    }

    @Test func `headers of one request are set in place of the client's`() throws {
        var filler = TemplateFiller(
            ValuePlan([]), secrets: [:], credentials: [:], inputs: ["verification_token": Secret("v1")],
            cryptography: FakeCryptography())
        let header = try filler.fill(
            InjectedHeader(name: "X-Verification-Token", value: template("${input.verification_token}")))
        let lines = "A: 1\r\nx_verification-token: mine\r\nX-Verification-Token: mine\r\nB: 2\r\n"
        let all = try send("GET /acme", lines, added: [header]) {
            $0.inject = [InjectedHeader("X-Key", "k")]
        }
        #expect(all == "GET /v1\r\nA: 1\r\nB: 2\r\nX-Key: k\r\nX-Verification-Token: v1\r\n")
        #expect(try send("GET /acme", lines) { _ in } == "GET /v1\r\n" + lines)
    }

    @Test func `no secret shows in a snapshot`() throws {
        let provider = acme {
            $0.secrets = ["k": Secret("hunter2")]
            $0.values = [
                value("v", .encoded(template("${secret.k}"), as: .base64)),
                value(
                    "s", .hmac(.sha1, key: template("${secret.k}"), of: template("${request.url}"), as: .hex)),
            ]
            $0.inject = [InjectedHeader(name: "A", value: template("${secret.k}${value.v}"))]
            $0.defaults = [InjectedHeader(name: "B", value: template("${value.s}"))]
            $0.injectQuery = [NamedTemplate(name: "q", value: template("${secret.k}"))]
        }
        let snapshot = try snapshot(provider)
        expectHidden(snapshot)
        #expect("\(snapshot)".contains("generation: 4"))
    }
}
