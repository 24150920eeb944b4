import Testing
import TollkeyCore

struct HeaderPolicyTests {
    /// Those of `lines` that reach the provider.
    private func kept(_ lines: [String], _ provider: ProviderSettings = acme()) throws -> [String] {
        // HTTP/1.0 needs no Host.
        let version = lines.contains { $0.hasPrefix("Host") } ? "1.1" : "1.0"
        let all = "POST / HTTP/\(version)\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let head = try request(all)
        let policy = HeaderPolicy(provider)
        let kept = head.fields.lines.filter { !policy.removes($0, bytes(all).span) }
        return kept.map { text(bytes(all)[$0.start..<$0.end - 2]) }
    }

    @Test(arguments: [
        "Host: a", "Expect: 100-continue", "Connection: close", "TE: trailers", "Upgrade: h2c",
        "Keep-Alive: 5",
        "Proxy-Connection: close", "Proxy-Authorization: x", "Proxy-Anything: x", "Authorization: x",
        "Cookie: x", "Forwarded: x", "X-Forwarded-For: x", "x-forwarded-whatever: x", "AUTHORIZATION: x",
        "Content_Length: 1", "Transfer_Encoding: chunked", "X_Forwarded_For: x", "X-Forwarded_For: x",
        "X-HTTP-Method: x", "X-HTTP-Method-Override: x", "X-Method-Override: x", "X-Original-URL: x",
        "X-Rewrite-URL: x", "X-Real-IP: x", "X_HTTP_Method_Override: x", "HTTP2-Settings: x",
        "Proxy_Authorization: x", "Idempotency_Key: x", "Sec_Fetch_Site: none", "Tollkey_Problem: x",
    ])
    func `a field of this connection or of the caller's own rights stays behind`(_ line: String) throws {
        #expect(try kept([line, "X: y"]) == ["X: y"])
    }

    @Test func `chunking stays behind, since it is written anew`() throws {
        #expect(try kept(["Host: a", "Transfer-Encoding: chunked"]) == [])
    }

    @Test(arguments: [
        "Content-Length: 1", "Content-Type: x", "Accept: */*", "Via: 1.1 x", "Origin: null",
        "Sec-Fetch-Site: none",
        "Idempotency-Key: x", "Location: x", "X_Y: z", "Authorizations: x", "X-Forwarded: x", "Trailer: X",
    ])
    func `any other field passes`(_ line: String) throws { #expect(try kept([line]) == [line]) }

    @Test(arguments: ["X-Api-Key", "x-api-key", "X_API_KEY", "x-api_key", "X_Api-Key"])
    func `a name that is injected stays behind under any spelling`(_ name: String) throws {
        let provider = acme { $0.inject = [InjectedHeader("X-Api-Key", "k"), InjectedHeader("b", "c")] }
        #expect(
            try kept(["\(name): mine", "X-Api-Keys: x", "X-Api: y", "B: z"], provider) == [
                "X-Api-Keys: x", "X-Api: y",
            ])
    }

    @Test func `an injected name written with an underscore is the same name`() throws {
        let provider = acme { $0.inject = [InjectedHeader("X_Token", "k")] }
        #expect(try kept(["X-Token: a", "x_token: b", "XToken: c"], provider) == ["XToken: c"])
    }

    @Test(arguments: ["Authorization", "Cookie", "Forwarded", "X-Forwarded-For", "X-HTTP-Method-Override"])
    func `'pass' lets one through, and only that one`(_ name: String) throws {
        let provider = acme { $0.pass = [name.lowercased()] }
        let lines = [
            "Authorization: x", "Cookie: x", "Forwarded: x", "X-Forwarded-For: x", "X-Forwarded-Host: x",
            "X-HTTP-Method-Override: x", "X-Original-URL: x",
        ]
        #expect(try kept(lines, provider) == ["\(name): x"])
        #expect(try kept(lines.map { $0.uppercased() }, provider) == ["\(name): x".uppercased()])
    }

    @Test(arguments: ["host", "connection", "te", "transfer-encoding", "proxy-authorization", "expect"])
    func `'pass' lets nothing through that belongs to one connection`(_ name: String) throws {
        let provider = acme { $0.pass = [name] }
        let line = name == "expect" ? "Expect: 100-continue" : "\(name): chunked"
        #expect(try kept(name == "transfer-encoding" ? ["Host: a", line] : [line], provider) == [])
    }

    @Test func `'pass' lets no imitation through, and nothing that is injected`() throws {
        let provider = acme {
            $0.pass = ["x-forwarded-for", "authorization"]
            $0.inject = [InjectedHeader("Authorization", "k")]
        }
        #expect(try kept(["X_Forwarded_For: x", "Authorization: mine"], provider) == [])
    }

    @Test func `an injected name of more than 64 bytes is found as well`() throws {
        for count in [63, 64, 65, 128, 129] {
            let name = String(repeating: "n", count: count)
            let provider = acme { $0.inject = [InjectedHeader(name, "k")] }
            #expect(try kept(["\(name): mine", "\(name)n: other"], provider) == ["\(name)n: other"])
        }
    }
}
