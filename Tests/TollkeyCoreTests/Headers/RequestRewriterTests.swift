import Testing
import TollkeyCore

struct RequestRewriterTests {
    private let pseudonym = "tollkey-7f"

    private func rewrite(_ text: String, _ provider: ProviderSettings = acme()) throws -> String {
        let head = try request(text)
        let credential = CredentialSnapshot(
            generation: 1, headers: provider.inject, defaults: provider.defaults, secrets: provider.secrets)
        return try written {
            try RequestRewriter(provider, pseudonym: pseudonym).write(
                head, bytes(text).span, prefixLength: provider.route.utf8.count, credential: credential,
                into: $0)
        }
    }

    /// What is written between the `Host` line and the `Via` line.
    private func fields(_ lines: String, _ provider: ProviderSettings = acme()) throws -> String {
        let all = try rewrite("GET /acme HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", provider)
        let start = "GET / HTTP/1.1\r\nHost: api.acme.test\r\n"
        let end = "Via: 1.1 tollkey-7f\r\n\r\n"
        #expect(all.hasPrefix(start) && all.hasSuffix(end))
        return String(all.dropFirst(start.count).dropLast(end.count))
    }

    @Test func `a call is written byte for byte, less what stays behind, with what is injected`() throws {
        let provider = acme(base: "/api/v1") {
            $0.inject = [
                InjectedHeader(name: "Authorization", value: [.text("Bearer "), .secret("token")]),
                InjectedHeader("X-App", "7"),
            ]
            $0.secrets = ["token": Secret("t0p")]
        }
        let head = """
            POST /acme/pay%20ments//x;v=1?a=[1]&b=%2f HTTP/1.1\r\nHOST: 127.0.0.1:8080\r\naccePT:\t */* \t\r
            X-B: 2\r\nauthorization: Basic bWU=\r\nX-A:  é  "1"\r\nConnection: close, X-Gone\r\nx-gone: 1\r
            X-B: 3\r\nX_App: 8\r\nContent-Length: 5\r\nVia: 1.0 first, 1.1 second\r\nCookie: c\r\n\r\nhello
            """
        #expect(
            try rewrite(head, provider) == """
                POST /api/v1/pay%20ments//x;v=1?a=[1]&b=%2f HTTP/1.1\r\nHost: api.acme.test\r\naccePT:\t */* \t\r
                X-B: 2\r\nX-A:  é  "1"\r\nX-B: 3\r\nContent-Length: 5\r\nVia: 1.0 first, 1.1 second\r
                Authorization: Bearer t0p\r\nX-App: 7\r\nVia: 1.1 tollkey-7f\r\n\r\n
                """)
    }

    @Test func `a chunked call stays chunked`() throws {
        #expect(
            try rewrite("PUT /acme/x HTTP/1.1\r\nTransfer-Encoding:  Chunked\r\nHost: a\r\nA: b\r\n\r\n")
                == """
                PUT /x HTTP/1.1\r\nHost: api.acme.test\r\nA: b\r\nVia: 1.1 tollkey-7f\r
                Transfer-Encoding: chunked\r\n\r\n
                """)
    }

    @Test func `an HTTP/1.0 call goes on as HTTP/1.1`() throws {
        let all = try rewrite("\r\nDELETE /acme/x HTTP/1.0\r\nConnection: keep-alive\r\nA: b\r\n\r\n")
        #expect(all.hasPrefix("DELETE /x HTTP/1.1\r\nHost: api.acme.test\r\nA: b\r\nVia: "))
    }

    /// RFC 9110 section 7.6.3: the received protocol, not the one that is sent.
    @Test func `Via says in which version the call came`() throws {
        for version in ["1.0", "1.1"] {
            let all = try rewrite("GET /acme HTTP/\(version)\r\nHost: a\r\n\r\n")
            #expect(all.hasSuffix("\r\nVia: \(version) tollkey-7f\r\n\r\n"))
        }
    }

    @Test(arguments: [
        ("/acme", "/", "/v1"), ("/acme/", "/", "/v1/"), ("/acme?q=1", "/?q=1", "/v1?q=1"),
        ("/acme/?q", "/?q", "/v1/?q"), ("/acme/a", "/a", "/v1/a"), ("/acme/a/", "/a/", "/v1/a/"),
        ("/acme//a", "//a", "/v1//a"), ("/acme/acme/a?", "/acme/a?", "/v1/acme/a?"),
        ("http://h/acme/a?q", "/a?q", "/v1/a?q"), ("http://h/acme", "/", "/v1"),
    ])
    func `the route goes and the base comes`(_ target: String, _ bare: String, _ based: String) throws {
        let head = "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n"
        for (base, expected) in [("", bare), ("/v1", based)] {
            let line = try rewrite(head, acme(base: base)).prefix { $0 != "\r\n" }
            #expect(line == "GET \(expected) HTTP/1.1")
        }
    }

    @Test func `a route of several segments is stripped whole`() throws {
        let provider = acme(base: "/v1") { $0.route = "/pay/acme" }
        let all = try rewrite("GET /pay/acme/x HTTP/1.1\r\nHost: h\r\n\r\n", provider)
        #expect(all.hasPrefix("GET /v1/x HTTP/1.1\r\n"))
    }

    @Test(arguments: [
        (acme(.https, "a.test", port: 443), "a.test"), (acme(.https, "a.test", port: 8_443), "a.test:8443"),
        (acme(.http, "127.0.0.1", port: 80), "127.0.0.1"), (acme(.http, "a.test", port: 443), "a.test:443"),
        (acme(.https, "2001:db8::7", port: 443), "[2001:db8::7]"),
        (acme(.https, "::1", port: 8_443), "[::1]:8443"),
    ])
    func `Host is the upstream's`(_ provider: ProviderSettings, _ host: String) throws {
        let all = try rewrite("GET /acme HTTP/1.1\r\nX: y\r\nhost: evil.test\r\n\r\n", provider)
        #expect(all == "GET / HTTP/1.1\r\nHost: \(host)\r\nX: y\r\nVia: 1.1 tollkey-7f\r\n\r\n")
    }

    @Test(arguments: [
        ("Connection: Authorization", ""), ("Connection: X-Key, x-a", "X-B: 2\r\n"),
        ("Connection: Host, Via, Transfer-Encoding", "X-A: 1\r\nX-B: 2\r\n"),
        ("Connection: x-a\r\nConnection: x-b", ""), ("Connection: close", "X-A: 1\r\nX-B: 2\r\n"),
    ])
    func `Connection takes away what it names of the client's, and nothing of ours`(
        _ line: String, _ rest: String
    ) throws {
        let provider = acme {
            $0.inject = [InjectedHeader("Authorization", "ours"), InjectedHeader("X-Key", "ours")]
        }
        let expected = line.contains("Authorization") ? "X-A: 1\r\nX-B: 2\r\n" : rest
        #expect(
            try fields("X-A: 1\r\n\(line)\r\nX-B: 2\r\nAuthorization: mine\r\nX-Key: mine\r\n", provider)
                == expected + "Authorization: ours\r\nX-Key: ours\r\n")
    }

    @Test func `Connection cannot take the framing away`() throws {
        for name in ["Content-Length", "content-length, Transfer-Encoding"] {
            #expect(try fields("Content-Length: 3\r\nConnection: \(name)\r\n") == "Content-Length: 3\r\n")
        }
        let all = try rewrite(
            "POST /acme HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        #expect(all.hasSuffix("\r\nTransfer-Encoding: chunked\r\n\r\n"))
    }

    @Test(arguments: [
        ("", "Accept: x\r\nX-Key: s\r\n"), ("ACCEPT: y\r\n", "ACCEPT: y\r\nX-Key: s\r\n"),
        ("Accept:\r\n", "Accept:\r\nX-Key: s\r\n"),
        ("x-key: y\r\nAccept: z\r\n", "x-key: y\r\nAccept: z\r\n"),
        ("Accepts: y\r\n", "Accepts: y\r\nAccept: x\r\nX-Key: s\r\n"),
        ("Accept: y\r\nConnection: accept\r\n", "Accept: x\r\nX-Key: s\r\n"),
    ])
    func `a default is set only when the client's own does not reach the provider`(
        _ lines: String, _ expected: String
    ) throws {
        let provider = acme {
            $0.defaults = [
                InjectedHeader("Accept", "x"), InjectedHeader(name: "X-Key", value: [.secret("k")]),
            ]
            $0.secrets = ["k": Secret("s")]
        }
        #expect(try fields(lines, provider) == expected)
    }

    @Test func `a default under a name that is removed is set`() throws {
        let provider = acme { $0.defaults = [InjectedHeader("Cookie", "ours")] }
        #expect(try fields("Cookie: mine\r\n", provider) == "Cookie: ours\r\n")
    }

    @Test func `as many defaults as may be are told apart`() throws {
        let provider = acme {
            $0.defaults = (0..<RequestRewriter.defaultsMax).map { InjectedHeader("X-\($0)", "d") }
        }
        let expected = ["X-63: c\r\n", "X-0: c\r\n"] + (1..<63).map { "X-\($0): d\r\n" }
        #expect(try fields("X-63: c\r\nX-0: c\r\n", provider) == expected.joined())
    }

    /// The exchange repeats a call for its key, so the provider must have seen that key.
    @Test(arguments: [
        "", "Connection: close\r\n", "Connection: Idempotency-Key\r\n", "Connection: x, idempotency-key\r\n",
    ])
    func `a call has an idempotency key only when the provider gets it`(_ connection: String) throws {
        let all = "POST /acme HTTP/1.1\r\nHost: a\r\n\(connection)Idempotency-Key: k\r\n\r\n"
        let isSent = try rewrite(all).contains("\r\nIdempotency-Key: k\r\n")
        #expect(try request(all).fields.hasIdempotencyKey(bytes(all).span) == isSent)
    }

    @Test(arguments: [
        ("Via: 1.1 tollkey-7f", true), ("via: 1.0 a, 1.1 TOLLKEY-7F (x), 1.1 b", true),
        ("Via: 1.1 a\r\nVia: 1.1 tollkey-7f", true), ("Via: 1.1 tollkey-70", false), ("Via: 1.1 a", false),
        ("Via:", false), ("Via: 7f", false), ("X-Via: 1.1 tollkey-7f", false), ("X: y", false),
        ("Via: 1.1 tollkey-7f\r\nConnection: via", true),
    ])
    func `a Via that names this process is a loop`(_ line: String, _ isLoop: Bool) throws {
        let all = "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n"
        let head = try request(all)
        #expect(RequestRewriter(acme(), pseudonym: pseudonym).isLoop(head, bytes(all).span) == isLoop)
    }

    @Test func `what it writes itself is a loop`() throws {
        let all = try rewrite("GET /acme HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try request(all)
        #expect(RequestRewriter(acme(), pseudonym: pseudonym).isLoop(head, bytes(all).span) == true)
    }

    @Test(arguments: [
        ("", ""), ("X-Sum: 1\r\n", "X-Sum: 1\r\n"), ("A: 1\r\nB:\t2 \r\n", "A: 1\r\nB:\t2 \r\n"),
        ("Content-Length: 1\r\nA: 1\r\nHost: b\r\n", "A: 1\r\n"), ("Transfer-Encoding: chunked\r\n", ""),
        ("Authorization: x\r\nCookie: x\r\nTE: x\r\nConnection: x\r\nA: 1\r\n", "A: 1\r\n"),
        ("X-Key: mine\r\nx_key: mine\r\nX-Forwarded-For: x\r\nContent_Length: 1\r\n", ""),
        ("Tollkey-Problem: x\r\nOrigin: x\r\nUpgrade: x\r\nKeep-Alive: x\r\nProxy-X: x\r\n", ""),
    ])
    func `trailers pass that say nothing about framing, routing or rights`(
        _ trailers: String, _ expected: String
    ) {
        let provider = acme { $0.inject = [InjectedHeader("X-Key", "ours")] }
        let rewriter = RequestRewriter(provider, pseudonym: pseudonym)
        #expect(written { rewriter.writeTrailers(bytes(trailers), into: $0) } == expected)
    }
}
