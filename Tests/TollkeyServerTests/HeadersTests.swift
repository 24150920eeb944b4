import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What becomes of a call's header fields, and of its answer's.
    struct HeadersTests {
        /// One call: what the upstream saw, and what the client got.
        private func exchange(
            _ fields: String, _ answer: String = ok(), _ change: (inout ProviderSettings) -> Void = { _ in }
        ) throws -> (seen: Message, answered: Message) {
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port, path: "/v1")
            change(&provider)
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/a/b?c=%20", fields))
            let connection = try upstream.accept()
            let seen = try connection.request()
            try connection.send(answer)
            return (seen, try client.answer())
        }

        @Test func `order and case of the client's own fields are kept`() throws {
            let own = ["x-B: 1", "ACCEPT: */*", "x-B:  2 ", "User-Agent: test"]
            let (seen, _) = try exchange(own.map { $0 + "\r\n" }.joined())
            #expect(seen.startLine == "GET /v1/a/b?c=%20 HTTP/1.1")
            let names = ["Host", "x-B", "ACCEPT", "x-B", "User-Agent", "X-Key", "Via"]
            #expect(seen.fields.map(\.name) == names)
            #expect(seen.values(of: "x-b") == ["1", "2"])
        }

        @Test func `Via is added behind those that are there, and the client's answer tells no lie`() throws {
            let (seen, answered) = try exchange("Via: 1.1 other\r\n")
            #expect(seen.values(of: "Via").count == 2 && seen.values(of: "Via")[0] == "1.1 other")
            #expect(seen.values(of: "Via")[1].hasPrefix("1.1 tollkey-"))
            #expect(answered.status == 200)
        }

        @Test func `'pass' lets a header through, but never one that is injected`() throws {
            let fields = "Cookie: a=b\r\nAuthorization: mine\r\nX-Forwarded-For: 1.2.3.4\r\n"
            let (seen, _) = try exchange(fields) {
                $0.pass = ["cookie", "authorization"]
                $0.inject = [InjectedHeader(name: "Authorization", value: [.text("Key "), .secret("key")])]
            }
            #expect(seen.values(of: "Cookie") == ["a=b"])
            #expect(seen.values(of: "Authorization") == ["Key s3cr3t"])
            #expect(seen.values(of: "X-Forwarded-For") == [])
        }

        @Test func `a default is set only where the client sent none`() throws {
            let change: (inout ProviderSettings) -> Void = {
                $0.defaults = [InjectedHeader(name: "Accept", value: [.text("application/json")])]
            }
            #expect(try exchange("", ok(), change).seen.values(of: "Accept") == ["application/json"])
            #expect(
                try exchange("accept: text/csv\r\n", ok(), change).seen.values(of: "Accept") == ["text/csv"])
        }

        @Test func `Connection cannot take anything of ours away`() throws {
            let (seen, _) = try exchange("Connection: X-Key, Host, Via, X-Own\r\nX-Own: 1\r\n")
            #expect(seen.values(of: "X-Key") == ["s3cr3t"] && seen.values(of: "Host").count == 1)
            #expect(seen.values(of: "Via").count == 1 && seen.value(of: "X-Own") == nil)
        }

        @Test func `what belongs to the provider's connection does not reach the client`() throws {
            let (_, answered) = try exchange(
                "",
                ok(
                    "hello",
                    "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n"
                        + "Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nSet-Cookie: a=b\r\nx-Own: 1\r\n"))
            #expect(answered.fields.map(\.name) == ["Set-Cookie", "x-Own", "Content-Length"])
        }
    }
}
