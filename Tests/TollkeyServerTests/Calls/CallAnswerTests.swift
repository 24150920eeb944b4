import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What is made of what comes back.
    struct CallAnswerTests {
        /// What `answer`, followed by the connection's end, comes to.
        private static func outcome(
            of answer: String, _ change: (inout OutgoingCall) -> Void = { _ in }
        ) throws -> Result<CallAnswer, CallFault> {
            let client = try CallClient()
            defer { client.close() }
            let upstream = try RawUpstream()
            let outcome = try aside(client, .plain(upstream.port).with(change))
            let connection = try upstream.accept()
            _ = try connection.request()
            // A client that has read enough may be gone before all is sent.
            try? connection.send(answer)
            connection.finish()
            let result = try outcome.value()
            #expect(!upstream.hasCaller, "the request was sent again")
            return result
        }

        @Test func `names are in lower case, values trimmed, and all of them there`() throws {
            let answer = try Self.outcome(
                of: ok(
                    "tok",
                    "X-Token:\t a b \t\r\nSet-Cookie: a\r\nset-cookie: b\r\nX-Empty:\r\nnot a name: x\r\n")
            ).get()
            #expect(answer.status == 200 && answer.content.text == "tok")
            #expect(answer.value(of: "x-token")?.text == "a b" && answer.value(of: "x-empty")?.text == "")
            #expect(
                answer.fields.map { "\($0.name)=\($0.value.text)" } == [
                    "x-token=a b", "set-cookie=a", "set-cookie=b", "x-empty=", "content-length=3",
                ])
            #expect("\(answer)".contains("<secret>") && !"\(answer)".contains("tok\""))
        }

        @Test func `interim answers are passed over, and trailers left out`() throws {
            let answer = try Self.outcome(
                of: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                    + "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
                    + "X-Late: 1\r\n\r\n"
            ).get()
            #expect(answer.status == 201 && answer.content.text == "abcde")
            #expect(answer.fields.map(\.name) == ["transfer-encoding"])
        }

        @Test(arguments: [204, 301, 302, 307, 400, 401, 407, 417, 429, 500, 599])
        func `every status is an answer, and none is acted upon`(_ status: Int) throws {
            let answer = try Self.outcome(
                of: "HTTP/1.1 \(status) X\r\nLocation: /again\r\nRetry-After: 9\r\n"
                    + "WWW-Authenticate: Basic\r\nProxy-Authenticate: Basic\r\n"
                    + (status == 204 ? "\r\n" : "Content-Length: 2\r\n\r\n{}")
            ).get()
            #expect(answer.status == status && answer.value(of: "retry-after")?.text == "9")
            #expect(answer.content.text == (status == 204 ? "" : "{}"))
        }

        @Test func `without TLS, an answer without a length ends with the connection`() throws {
            #expect(try Self.outcome(of: "HTTP/1.1 200 OK\r\n\r\nhello").get().content.text == "hello")
        }

        @Test(arguments: [
            "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"access_token\":\"\(canary)\"",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n\(canary)",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n",
            "\(canary)\r\n\r\n", "{\"access_token\":\"\(canary)\"}", "220 mail.acme.test ESMTP\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\(canary)", "HTTP/1.1 OK\r\n\r\n\(canary)",
        ])
        func `an answer that is cut, or none, may have been acted upon`(_ answer: String) throws {
            let fault = try fault(of: Self.outcome(of: answer))
            #expect(fault.kind == .broke && fault.wasSent, "\(fault)")
            #expect(
                fault.description.hasPrefix("127.0.0.1:") || fault.description.hasPrefix("what 127.0.0.1:"))
        }

        /// The end of TLS is what tells that an answer without a length is whole (RFC 8446 §6.1).
        @Test(arguments: [false, true])
        func `over TLS, an answer without a length that ends without farewell is cut`(_ isCut: Bool)
            async throws
        {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["localhost"])
                let script = [ScriptedUpstream.Step.readHead, .send("HTTP/1.1 200 OK\r\n\r\nhello"), .close]
                try await withScripts([script], identity: identity) { upstream in
                    try await withCalls { client in
                        let relay = try RecordRelay(to: upstream.port, dropsFarewell: isCut)
                        let outcome = try aside(client, .secure(relay.port, ca: stage.ca))
                        _ = try relay.serve()
                        guard isCut else {
                            #expect(try outcome.value().get().content.text == "hello")
                            return
                        }
                        let fault = try fault(of: outcome.value())
                        #expect(fault.kind == .broke && fault.wasSent)
                    }
                }
            }
        }

        private static func content(_ count: Int) -> String { String(repeating: "x", count: count) }

        @Test(arguments: [false, true])
        func `content is read up to its bound`(_ isChunked: Bool) throws {
            func answer(_ count: Int) -> String {
                guard isChunked else { return ok(Self.content(count)) }
                return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "\(String(count, radix: 16))\r\n\(Self.content(count))\r\n0\r\n\r\n"
            }
            let largest = try Self.outcome(of: answer(1_000)) { $0.answerBytesMax = 1_000 }
            #expect(try largest.get().content.text.utf8.count == 1_000)
            let fault = try fault(of: Self.outcome(of: answer(1_001)) { $0.answerBytesMax = 1_000 })
            #expect(fault.kind == .tooLarge && fault.wasSent)
        }

        @Test func `by default content may have 256 KiB`() throws {
            #expect(try Self.outcome(of: ok(Self.content(256 << 10))).get().status == 200)
            #expect(try fault(of: Self.outcome(of: ok(Self.content(256 << 10 + 1)))).kind == .tooLarge)
        }

        @Test func `a head is read up to its bounds`() throws {
            let frame = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n".utf8.count
            let room = OutgoingCall.answerHeadBytesMax - frame
            func large(_ count: Int) -> String { ok("", "X: \(Self.content(count))\r\n") }
            #expect(try Self.outcome(of: large(room)).get().value(of: "x")?.text.utf8.count == room)
            #expect(try fault(of: Self.outcome(of: large(room + 1))).kind == .tooLarge)

            func fields(_ count: Int) -> String { ok("", String(repeating: "X: y\r\n", count: count - 1)) }
            let most = OutgoingCall.answerFieldsMax
            #expect(try Self.outcome(of: fields(most)).get().fields.count == most)
            #expect(try fault(of: Self.outcome(of: fields(most + 1))).kind == .tooLarge)
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 1 << 20),
            "HTTP/1.1 " + String(repeating: "2", count: 1 << 20),
            String(repeating: "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", count: 10_000),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                + String(repeating: "X: y\r\n", count: 20_000),
        ])
        func `a head without an end is not read for ever`(_ answer: String) throws {
            let fault = try fault(of: Self.outcome(of: answer))
            #expect([.tooLarge, .broke].contains(fault.kind) && fault.wasSent, "\(fault)")
        }
    }
}
