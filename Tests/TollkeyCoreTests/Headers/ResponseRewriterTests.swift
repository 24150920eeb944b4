import Testing
import TollkeyCore

struct ResponseRewriterTests {
    private static let plain = ResponseRewriter.Delivery(chunked: false, close: false, saysKeepAlive: false)

    private func rewrite(
        _ text: String, _ provider: ProviderSettings = acme(), _ delivery: ResponseRewriter.Delivery = plain
    ) throws -> String {
        let head = try response(text)
        return written { ResponseRewriter(provider).write(head, bytes(text).span, delivery, into: $0) }
    }

    @Test func `an answer is written byte for byte, less what belongs to the provider's connection`() throws {
        let head = """
            HTTP/1.1 402 Sehr  böse\r\nserver:\tx \r\nConnection: keep-alive, X-Hop\r\nSet-Cookie: a=1\r\nX-HOP: 1\r
            Set-Cookie: b=2\r\nKeep-Alive: timeout=5\r\nContent-Length: 7\r\nTollkey-Problem: no-route\r
            X-Y:  "é"\t\r\nVia: 1.1 cdn\r\n\r\ncontent
            """
        #expect(
            try rewrite(head) == """
                HTTP/1.1 402 Sehr  böse\r\nserver:\tx \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 7\r
                X-Y:  "é"\t\r\nVia: 1.1 cdn\r\n\r\n
                """)
    }

    @Test(arguments: [("200", "200 "), ("200 ", "200 "), ("200 OK", "200 OK"), ("200  ", "200  ")])
    func `a status has a space behind it, also without a reason`(_ line: String, _ written: String) throws {
        #expect(try rewrite("HTTP/1.1 \(line)\r\n\r\n") == "HTTP/1.1 \(written)\r\n\r\n")
    }

    @Test(arguments: [
        (false, false, false, ""), (true, false, false, "Transfer-Encoding: chunked\r\n"),
        (false, true, false, "Connection: close\r\n"), (false, false, true, "Connection: keep-alive\r\n"),
        (false, true, true, "Connection: close\r\n"),
        (true, true, false, "Transfer-Encoding: chunked\r\nConnection: close\r\n"),
    ])
    func `what the client's connection makes of it is added`(
        _ chunked: Bool, _ close: Bool, _ saysKeepAlive: Bool, _ lines: String
    ) throws {
        for head in [
            "HTTP/1.1 200\r\n", "HTTP/1.0 200\r\n", "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n",
        ] {
            let delivery = ResponseRewriter.Delivery(
                chunked: chunked, close: close, saysKeepAlive: saysKeepAlive)
            #expect(
                try rewrite(head + "A: b\r\n\r\n", acme(), delivery)
                    == "HTTP/1.1 200 \r\nA: b\r\n\(lines)\r\n"
            )
        }
    }

    @Test(arguments: [
        "Connection: close", "connection: x", "Keep-Alive: x", "Proxy-Authenticate: x", "Proxy-Connection: x",
        "TE: x", "Upgrade: x", "Transfer-Encoding: chunked", "Tollkey-Problem: x", "TOLLKEY-PROBLEM: x",
        "Tollkey_Problem: x", "Content_Length: 1", "Transfer_Encoding: x",
    ])
    func `a field stays behind`(_ line: String) throws {
        #expect(
            try rewrite("HTTP/1.1 200 OK\r\nA: b\r\n\(line)\r\nC: d\r\n\r\n")
                == "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n")
    }

    @Test(arguments: [
        "Trailer: X", "Authorization: x", "Cookie: x", "Forwarded: x", "X-Forwarded-For: x", "Origin: x",
        "Idempotency-Key: x", "WWW-Authenticate: Bearer", "X_Y: z",
        "Content-Location: https://api.acme.test/x",
    ])
    func `a field passes`(_ line: String) throws {
        #expect(try rewrite("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n") == "HTTP/1.1 200 OK\r\n\(line)\r\n\r\n")
    }

    @Test func `Connection cannot take the length away`() throws {
        #expect(
            try rewrite("HTTP/1.1 200\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n")
                == "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n")
    }

    @Test(arguments: [("200", true), ("304", true), ("204", false), ("100", false), ("103", false)])
    func `a length stays where there can be content to measure`(_ status: String, _ stays: Bool) throws {
        #expect(
            try rewrite("HTTP/1.1 \(status)\r\nContent-Length: 5\r\nA: b\r\n\r\n")
                == "HTTP/1.1 \(status) \r\n" + (stays ? "Content-Length: 5\r\n" : "") + "A: b\r\n\r\n")
    }

    /// For `https://api.acme.test/v1` behind `/acme`; nil is left alone.
    static let locations: [(String, String?)] = [
        ("https://api.acme.test/v1/x", "/acme/x"), ("https://api.acme.test/v1", "/acme"),
        ("https://api.acme.test/v1/", "/acme/"), ("https://api.acme.test:443/v1/x", "/acme/x"),
        ("HTTPS://API.Acme.Test/v1/X?q#f", "/acme/X?q#f"), ("https://api.acme.test/v1?q", "/acme?q"),
        ("https://api.acme.test/v1#f", "/acme#f"), ("//api.acme.test/v1/x", "/acme/x"),
        ("//API.acme.test:443/v1/x", "/acme/x"), ("/v1/x?y=1", "/acme/x?y=1"), ("/v1", "/acme"),
        ("/v1/v1/x", "/acme/v1/x"),
        ("https://api.acme.test/v1x", nil), ("https://api.acme.test/V1/x", nil),
        ("/v1x", "https://api.acme.test/v1x"), ("/v", "https://api.acme.test/v"),
        ("/v1%2fx", "https://api.acme.test/v1%2fx"), ("/v1;x", "https://api.acme.test/v1;x"),
        ("https://api.acme.test/v2/x", nil), ("https://api.acme.test", nil),
        ("https://api.acme.test/", nil), ("/", "https://api.acme.test/"), ("", nil), ("x", nil),
        ("v1/x", nil), ("../v1/x", nil),
        ("?q", nil),
        ("http://api.acme.test/v1/x", nil), ("https://api.acme.test:444/v1/x", nil),
        ("https://api.acme.test:4430/v1/x", nil), ("https://api.acme.test:/v1/x", nil),
        ("https://api.acme.test.evil/v1/x", nil), ("https://api.acme.test@evil/v1/x", nil),
        ("https://me@api.acme.test/v1/x", nil), ("https://acme.test/v1/x", nil), ("//evil/v1/x", nil),
        ("//v1/x", nil), ("///v1/x", nil), ("https:/v1/x", nil), ("https:///v1/x", nil), ("\\v1\\x", nil),
    ]

    @Test(arguments: locations)
    func `a Location into the base leads back here`(_ location: String, _ mapped: String?) throws {
        let head = "HTTP/1.1 302 Found\r\nA: b\r\nlocATION:\t \(location) \r\nC: d\r\n\r\n"
        #expect(
            try rewrite(head, acme(base: "/v1"))
                == "HTTP/1.1 302 Found\r\nA: b\r\nlocATION:\t \(mapped ?? location) \r\nC: d\r\n\r\n")
    }

    @Test(arguments: [
        (acme(), "https://api.acme.test/x", "/acme/x"), (acme(), "https://api.acme.test", "/acme"),
        (acme(), "https://api.acme.test:443", "/acme"), (acme(), "/", "/acme/"), (acme(), "/x", "/acme/x"),
        (acme(), "//evil/x", "//evil/x"), (acme(), "https://api.acme.tester/", "https://api.acme.tester/"),
        (acme(), "https://api.acme.test:4430/", "https://api.acme.test:4430/"),
        (acme(.http, "h", port: 8_001), "http://h:8001/x", "/acme/x"),
        (acme(.http, "h", port: 8_001), "//H:8001/x", "/acme/x"),
        (acme(.http, "h", port: 8_001), "http://h/x", "http://h/x"),
        (acme(.http, "h", port: 8_001), "http://h:80010/x", "http://h:80010/x"),
        (acme(.http, "h"), "http://h:80/x", "/acme/x"), (acme(.http, "h"), "https://h/x", "https://h/x"),
        (acme(.https, "::1"), "https://[::1]/x", "/acme/x"),
        (acme(.https, "::1"), "https://[::1]:443/x", "/acme/x"),
        (acme { $0.route = "/pay/acme" }, "/x", "/pay/acme/x"),
    ])
    func `a Location is compared with the upstream's own address`(
        _ provider: ProviderSettings, _ location: String, _ expected: String
    ) throws {
        #expect(
            try rewrite("HTTP/1.1 201\r\nLocation: \(location)\r\n\r\n", provider)
                == "HTTP/1.1 201 \r\nLocation: \(expected)\r\n\r\n")
    }

    /// Behind `/acme` they would lead out of it again, to another provider's route maybe.
    @Test(arguments: [
        "https://api.acme.test/v1/../x", "https://api.acme.test/v1/a/../../x", "//api.acme.test/v1/%2e%2e/x",
    ])
    func `a Location that leaves the base by dot segments is left alone`(_ location: String) throws {
        let head = "HTTP/1.1 302 Found\r\nLocation: \(location)\r\n\r\n"
        #expect(try rewrite(head, acme(base: "/v1")) == head)
    }

    @Test(arguments: ["/v1/..", "/v1/.%2E/x", "/v2/x"])
    func `a path outside the base is the upstream's, not another route's`(_ location: String) throws {
        let answer = try rewrite("HTTP/1.1 302 Found\r\nLocation: \(location)\r\n\r\n", acme(base: "/v1"))
        #expect(answer == "HTTP/1.1 302 Found\r\nLocation: https://api.acme.test\(location)\r\n\r\n")
    }

    @Test func `Proxy-Status is for everybody on the way`() throws {
        let head = "HTTP/1.1 502 Bad\r\nProxy-Status: a; error=dns_error\r\n\r\n"
        #expect(try rewrite(head) == head)
    }

    @Test(arguments: [
        ("/v1/next?sig=K&z=1", "/acme/next?z=1"), ("/v1/next?z=1&SIG=K#there", "/acme/next?z=1#there"),
        ("https://api.acme.test/v1?sig=K", "/acme"), ("next?sig=K", "next"), ("?a&sig=K", "?a"),
        ("/other?sig=K&a", "https://api.acme.test/other?a"), ("//elsewhere.test/?sig=K", "//elsewhere.test/"),
        ("/v1/a#b?sig=K", "/acme/a#b?sig=K"), ("/v1/a?signal=1", "/acme/a?signal=1"),
    ])
    func `a Location holds no parameter that was injected`(_ location: String, _ expected: String) throws {
        let provider = acme(base: "/v1") {
            $0.injectQuery = [NamedTemplate(name: "sig", value: [.secret("k")])]
        }
        #expect(
            try rewrite("HTTP/1.1 302 Found\r\nLocation: \(location) \r\nA: b\r\n\r\n", provider)
                == "HTTP/1.1 302 Found\r\nLocation: \(expected) \r\nA: b\r\n\r\n")
    }

    @Test func `a Location that Connection names stays behind`() throws {
        #expect(
            try rewrite("HTTP/1.1 302\r\nLocation: /x\r\nConnection: location\r\n\r\n")
                == "HTTP/1.1 302 \r\n\r\n")
    }

    @Test func `several Locations are mapped one by one, and what stands between them stays`() throws {
        #expect(
            try rewrite("HTTP/1.1 300\r\nLocation: /a\r\nX: 1\r\nY: 2\r\nLocation: z\r\nLocation: /b\r\n\r\n")
                == "HTTP/1.1 300 \r\nLocation: /acme/a\r\nX: 1\r\nY: 2\r\nLocation: z\r\nLocation: /acme/b\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("", ""), ("X-Sum: 1\r\nB:\t2 \r\n", "X-Sum: 1\r\nB:\t2 \r\n"),
        ("Content-Length: 1\r\nA: 1\r\nTransfer-Encoding: chunked\r\n", "A: 1\r\n"),
        ("Location: /x\r\nTollkey-Problem: x\r\nConnection: x\r\nKeep-Alive: x\r\nContent_Length: 1\r\n", ""),
    ])
    func `trailers pass that say nothing about framing`(_ trailers: String, _ expected: String) {
        #expect(written { ResponseRewriter(acme()).writeTrailers(bytes(trailers), into: $0) } == expected)
    }
}
