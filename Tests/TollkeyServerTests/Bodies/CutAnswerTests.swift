import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Answers that the provider does not bring to their end: no client may take one for whole.
    struct CutAnswerTests {
        private static let head = "HTTP/1.1 200 OK\r\n"
        private static let parts = [
            "Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "Transfer-Encoding: chunked\r\n\r\n9\r\nhello",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        ]

        @Test(arguments: parts, [false, true])
        func `an answer that is cut short is not whole for the client`(_ part: String, _ isReset: Bool) throws
        {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(Self.head + part)
            _ = try client.head()
            _ = try client.through("hello")
            if isReset { provider.reset() } else { provider.close() }
            let tail = String(decoding: try client.rest(), as: UTF8.self)
            #expect(!tail.hasSuffix("0\r\n\r\n"))
        }

        @Test func `content without a length is not whole when the connection is reset`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(Self.head + "\r\nhello")
            _ = try client.through("hello\r\n")
            provider.reset()
            #expect(try client.rest() == [])
        }

        @Test func `over TLS content without a length is whole when the provider says farewell`() async throws
        {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["localhost"])
                let script: [ScriptedUpstream.Step] = [.readHead, .send(Self.head + "\r\nhello"), .close]
                try await withScripts([script], identity: identity) { upstream in
                    let proxy = try Proxy(.secure(upstream.port, ca: stage.ca))
                    defer { proxy.stop() }
                    let answer = try proxy.answer(to: get("/"))
                    #expect(answer.text == "hello" && !answer.endsWithConnection)
                }
            }
        }

        @Test func `over TLS content without a length is not whole without a farewell`() async throws {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["localhost"])
                let script: [ScriptedUpstream.Step] = [
                    .readHead, .send(Self.head + "\r\nhello"), .expect(bytesContaining: "go on"), .reset,
                ]
                try await withScripts([script], identity: identity) { upstream in
                    let proxy = try Proxy(.secure(upstream.port, ca: stage.ca))
                    defer { proxy.stop() }
                    let client = try proxy.connect(
                        sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
                    _ = try client.through("hello\r\n")
                    try client.send("go on")
                    #expect(try client.rest() == [])
                }
            }
        }

        @Test(arguments: ["close-mid-body", "reset", "close-before-head"])
        func `a sandbox's broken answers are never whole`(_ fault: String) async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect(
                    sending: post("/sandbox/bytes/100000", "ping", "X-Sandbox-Fault: \(fault)\r\n"))
                guard fault == "close-mid-body" else {
                    try expectProblem(client.answer(), 502, "upstream-broke", mayHaveBeenProcessed: true)
                    return
                }
                let failure = #expect(throws: RawConnection.Failure.self) { try client.answer() }
                guard case .cut(let part) = failure else {
                    Issue.record("\(String(describing: failure))")
                    return
                }
                #expect(part.count == 50_000)
            }
        }
    }
}
