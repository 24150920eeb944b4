import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Calls that go nowhere.
    struct RefusalTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.allow = [try CallPattern("GET /**"), try CallPattern("POST /pay")]
            provider.body.max = 100_000
            var settings = Settings(to: [provider])
            settings.hosts = ["payments.internal"]
            settings.origins = ["https://shop.example"]
            settings.limits.head = 4 << 10
            settings.limits.target = 1 << 10
            settings.limits.headers = 20
            proxy = try Proxy(settings)
        }

        struct Refused: CustomTestStringConvertible {
            let request: String
            let status: Int
            let kind: String
            var provider: String?
            var isOver = false
            var testDescription: String { "\(kind): \(request.prefix(80))" }
        }

        private static let long = String(repeating: "a", count: 1 << 10)

        static let refused = [
            Refused(
                request: "GET /acme/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", status: 403, kind: "forbidden-host"
            ),
            Refused(
                request: "GET /acme/ HTTP/1.1\r\nHost: localhost.evil.test\r\n\r\n", status: 403,
                kind: "forbidden-host"),
            Refused(
                request: get("/", "Origin: https://evil.test\r\n"), status: 403, kind: "forbidden-origin"),
            Refused(request: get("/", "Origin: null\r\n"), status: 403, kind: "forbidden-origin"),
            Refused(
                request: get("/", "Sec-Fetch-Site: cross-site\r\n"), status: 403, kind: "forbidden-origin"),
            Refused(request: "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 404, kind: "no-route"),
            Refused(
                request: "GET /acmeX/ HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 404, kind: "no-route"),
            Refused(request: "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 404, kind: "no-route"),
            Refused(request: post("/other", "x"), status: 403, kind: "not-allowed", provider: "acme"),
            Refused(
                request: "TRACE /acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 403, kind: "not-allowed",
                provider: "acme"),
            Refused(
                request: "POST /acme/pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n",
                status: 413, kind: "body-too-large", provider: "acme", isOver: true),
            Refused(
                request: get("/", "A: \(long)\r\nB: \(long)\r\nC: \(long)\r\nD: \(long)\r\n"), status: 431,
                kind: "head-too-large", isOver: true),
            Refused(
                request: get("/", String(repeating: "A: b\r\n", count: 20)), status: 431,
                kind: "head-too-large",
                isOver: true),
            Refused(request: get("/\(long)"), status: 414, kind: "uri-too-long", isOver: true),
            Refused(request: "GET /acme/\(long)\(long)", status: 414, kind: "uri-too-long", isOver: true),
        ]

        @Test(arguments: refused)
        func `a call that must not go on is refused, and nothing reaches the provider`(_ refused: Refused)
            throws
        {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: refused.request)
            let answer = try client.answer()
            let problem = try expectProblem(answer, refused.status, refused.kind)
            #expect(problem.provider == refused.provider)
            #expect(answer.closes == refused.isOver)
            if refused.isOver {
                #expect(try client.hasEnded())
            } else {
                try client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(try client.answer().status == 404)
            }
            #expect(!upstream.hasCaller)
        }

        static let malformed = [
            "GET /acme/ HTTP/1.1\r\n\r\n", "GET /acme/ HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
            "GET /acme/ HTTP/1.1\nHost: localhost\n\n", "GET /acme/ HTTP/1.1\r\nHost : localhost\r\n\r\n",
            "GET /acme/ HTTP/2.0\r\nHost: localhost\r\n\r\n",
            "GET  /acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            get("/../x"), get("/%2e%2E/x"), get("/a%2fb"), get("/a\\b"), get("/%00"), get("/a%zz"),
            get("/", " folded: 1\r\n"), get("/", "A: b\r\n c\r\n"), get("/", "A: \u{1}\r\n"),
            get("/", "A: b\rc\r\n"),
            get("/", "Expect: miracles\r\n"), get("/", "Content-Length: 0\r\nContent-Length: 0\r\n"),
            get("/", "Content-Length: +1\r\n"), get("/", "Content-Length: 1 1\r\n"),
            get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            get("/", "Transfer-Encoding: gzip\r\n"),
            get("/", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            "GET http://evil.test/acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET https://localhost/acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n",
        ]

        @Test(arguments: malformed)
        func `what can be read in two ways ends the connection`(_ request: String) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: request + get("/smuggled"))
            let answer = try client.answer()
            try expectProblem(answer, 400, "bad-request")
            #expect(answer.closes)
            #expect(try client.hasEnded())
            #expect(!upstream.hasCaller)
        }

        @Test(arguments: [
            "GET /acme/ok HTTP/1.1\r\nHost: PAYMENTS.internal:80\r\n\r\n",
            "GET /acme/ok HTTP/1.1\r\nHost: [::1]\r\n\r\n",
            "GET http://localhost/acme/ok HTTP/1.1\r\nHost: localhost\r\n\r\n",
            get("/ok", "Origin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\n"),
            get("/ok", "Origin: http://localhost\r\n"), "\r\n" + get("/ok"),
        ])
        func `a call that is meant for this proxy goes on`(_ request: String) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: request)
            let connection = try upstream.accept()
            #expect(try connection.request().startLine == "GET /ok HTTP/1.1")
            try connection.send(ok())
            #expect(try client.answer().status == 200)
        }

        @Test func `a streamed body is refused when it passes the bound, and the provider sees no end of it`()
            throws
        {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/pay HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "C350\r\n" + String(repeating: "x", count: 50_000) + "\r\n"
            try client.send(chunk + chunk)
            let connection = try upstream.accept()
            _ = try connection.head()
            _ = try connection.through("xx\r\n")
            try proxy.settle()
            #expect(client.isQuiet)
            try client.send("1\r\nx\r\n")
            let answer = try client.answer()
            let problem = try expectProblem(answer, 413, "body-too-large", mayHaveBeenProcessed: true)
            #expect(problem.detail.contains("body.max") && answer.closes)
            let seen = String(decoding: try untilEnd(connection), as: UTF8.self)
            #expect(!seen.contains("0\r\n\r\n"))
        }

        @Test(arguments: [
            "zz\r\n", "3\r\nabcd", "3 \r\nabc\r\n", "1\nx\r\n", "ffffffffffffffff\r\n",
            "0\r\nbad trailer\r\n\r\n",
        ])
        func `a bad chunk in the middle of an upload ends it, and the provider sees no end of it`(
            _ chunk: String
        ) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending:
                    "POST /acme/pay HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            )
            let connection = try upstream.accept()
            _ = try connection.head()
            _ = try connection.through("5\r\nhello\r\n")
            try client.send(chunk)
            let answer = try client.answer()
            #expect(answer.status == 400 && answer.values(of: "Tollkey-Problem") == ["bad-request"])
            #expect(answer.closes)
            let seen = String(decoding: try untilEnd(connection), as: UTF8.self)
            #expect(!seen.contains("0\r\n\r\n"))
        }

        @Test func `a call that comes back to the proxy is stopped`() throws {
            defer { proxy.stop() }
            var settings = Settings(to: [])
            var provider = ProviderSettings.plain(proxy.port, path: "/acme")
            settings.providers = [provider]
            let looping = try Proxy(settings)
            defer { looping.stop() }
            provider.upstream.port = looping.port
            settings.providers = [provider]
            try looping.server.reload(settings)
            let answer = try looping.answer(to: get("/around"))
            #expect(answer.status == 508)
            #expect(answer.text.contains("urn:tollkey:problem:loop"))
        }

        /// What comes until the end, FIN or RST.
        private func untilEnd(_ connection: RawConnection) throws -> [UInt8] {
            var bytes: [UInt8] = []
            do {
                while let byte = try connection.next() { bytes.append(byte) }
            } catch RawConnection.Failure.reset {}
            return bytes
        }
    }
}
