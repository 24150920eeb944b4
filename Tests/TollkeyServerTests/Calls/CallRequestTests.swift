import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What goes over the wire.
    struct CallRequestTests {
        /// The request that the server gets for `call`.
        private static func request(of call: OutgoingCall, at upstream: RawUpstream) async throws -> Message {
            let client = try CallClient()
            defer { client.close() }
            let outcome = try aside(client, call)
            let connection = try upstream.accept()
            let request = try connection.request()
            try connection.send(ok("", "Connection: close\r\n"))
            #expect(try outcome.value().get().status == 200)
            #expect(try connection.hasEnded())
            return request
        }

        @Test func `a token call is sent as it is, with nothing of libcurl's own`() async throws {
            let upstream = try RawUpstream()
            let request = try await Self.request(of: .plain(upstream.port), at: upstream)
            #expect(request.startLine == "POST /oauth/token?key=\(canary) HTTP/1.1")
            #expect(request.text == "grant_type=refresh_token&refresh_token=\(canary)")
            let fields = request.fields.map { "\($0.name): \($0.value)" }
            #expect(
                fields.sorted() == [
                    "Accept-Encoding: identity", "Accept: */*", "Authorization: Basic \(canary)",
                    "Connection: close", "Content-Length: \(request.body.count)",
                    "Content-Type: application/x-www-form-urlencoded", "Host: 127.0.0.1:\(upstream.port)",
                    "User-Agent: tollkey",
                ])
        }

        @Test(arguments: [
            ("GET", nil, nil), ("DELETE", nil, nil), ("OPTIONS", nil, nil), ("POST", nil, "0"),
            ("PUT", nil, "0"), ("PATCH", nil, "0"), ("POST", "", "0"), ("GET", "five!", "5"),
            ("PUT", "five!", "5"), ("DELETE", "five!", "5"),
        ])
        func `a call says how long its content is, and only that`(
            _ method: String, _ content: String?, _ length: String?
        ) async throws {
            let upstream = try RawUpstream()
            let call = OutgoingCall.plain(upstream.port).with {
                $0.method = method
                $0.fields = []
                $0.content = content.map { Secret($0) }
            }
            let request = try await Self.request(of: call, at: upstream)
            #expect(request.startLine.hasPrefix("\(method) /"))
            #expect(request.text == content ?? "")
            #expect(request.value(of: "Content-Length") == length)
            #expect(request.value(of: "Content-Type") == nil)
        }

        @Test func `a HEAD has an answer without content`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let outcome = try aside(
                    client,
                    .plain(upstream.port).with {
                        $0.method = "HEAD"
                        $0.content = nil
                    })
                let connection = try upstream.accept()
                #expect(try connection.request().startLine.hasPrefix("HEAD /"))
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                #expect(
                    try outcome.value().get()
                        == CallAnswer(
                            status: 200,
                            fields: [
                                CallAnswer.Field(name: "content-length", value: Secret("5"))
                            ]))
            }
        }

        @Test func `a large content is sent whole, without waiting to be asked for it`() async throws {
            let upstream = try RawUpstream()
            let content = String(repeating: "0123456789abcdef", count: 128 << 10)
            let call = OutgoingCall.plain(upstream.port).with { $0.content = Secret(content) }
            let request = try await Self.request(of: call, at: upstream)
            #expect(request.text == content && request.value(of: "Expect") == nil)
        }

        @Test func `a path is not tidied, and an empty value is sent`() async throws {
            let upstream = try RawUpstream()
            let target = "/a/../b/./%2e%2E//c?x=[1]&y=/../z&q=%20'\"{}|"
            let call = OutgoingCall.plain(upstream.port).with {
                $0.target = Secret(target)
                $0.fields = ["X-Empty": "", "X-Blank": " ", "X-Wide": "käse;:,"].map {
                    OutgoingCall.Field(name: $0.key, value: Secret($0.value))
                }
                $0.fields.append(OutgoingCall.Field(name: "Accept", value: Secret("application/json")))
                $0.fields.append(OutgoingCall.Field(name: "user-agent", value: Secret("acme/1")))
            }
            let request = try await Self.request(of: call, at: upstream)
            #expect(request.startLine == "POST \(target) HTTP/1.1")
            #expect(request.values(of: "X-Empty") == [""] && request.values(of: "X-Blank") == [""])
            #expect(request.values(of: "X-Wide") == ["käse;:,"])
            #expect(request.values(of: "Accept") == ["application/json"])
            #expect(request.values(of: "User-Agent") == ["acme/1"])
        }

        private typealias Change = @Sendable (inout OutgoingCall) -> Void

        private static let flaws: [Change] =
            flawedValues + flawedNames + flawedTargets + flawedMethods + flawedPlaces

        private static let flawedValues = ["\r", "\n", "\0", "\u{7f}", "\r\nX-Other: 1"].map {
            (end: String) -> Change in
            { $0.fields.append(OutgoingCall.Field(name: "X-Key", value: Secret(canary + end))) }
        }
        private static let flawedNames = [
            "", "X Key", "X-Key:", "X\r\nY", "Host", "content-length", "Transfer-Encoding", "EXPECT",
        ].map { (name: String) -> Change in
            { $0.fields.append(OutgoingCall.Field(name: name, value: Secret(canary))) }
        }
        private static let flawedTargets = ["", "x", "/ x", "/\r\n", "/\0", "/#x", "/ä"].map {
            (target: String) -> Change in { $0.target = Secret(target) }
        }
        private static let flawedMethods = ["", "GET /", "P\r\n", "CONNECT"].map {
            (method: String) -> Change in { $0.method = method }
        }
        private static let flawedPlaces: [Change] = [
            { $0.url.host = "x/y" }, { $0.url.host = "user@acme.test" }, { $0.url.port = 0 },
            { $0.tls.serverName = "a b" },
            { $0.addresses = [UpstreamAddress(host: "127.0.0.1,", port: 1)] },
            { $0.egressProxy = EgressProxy(host: "x@y", port: 1) },
            { $0.egressProxy = EgressProxy(host: "x", port: 1, user: Secret("a"), password: Secret("\0")) },
        ]

        @Test(arguments: flaws.indices)
        func `what would be another request is not sent at all`(_ index: Int) async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let fault = try fault(
                    of: client.perform(OutgoingCall.plain(upstream.port).with(Self.flaws[index])))
                #expect(fault.kind == .malformed && !fault.wasSent)
                #expect(!upstream.hasCaller)
            }
        }
    }
}
