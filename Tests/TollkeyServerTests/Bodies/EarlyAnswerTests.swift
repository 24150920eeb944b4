import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Answers that come while the request is still on its way.
    struct EarlyAnswerTests {
        @Test func `an early 413 reaches the client, which is told that the connection closes`() async throws
        {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let client = try proxy.connect(
                    sending:
                        "POST /acme/sandbox/sink HTTP/1.1\r\nHost: localhost\r\nX-Sandbox-Fault: early-answer\r\n"
                        + "Content-Length: 1000000\r\n\r\nthe beginning")
                let answer = try client.answer()
                #expect(answer.status == 413 && answer.closes)
                #expect(answer.value(of: "Tollkey-Problem") == nil)
                #expect(try client.hasEnded())
                #expect(try #require(stage.requests.first).isComplete == false)
            }
        }

        @Test func `after an early answer what the client still sends is taken and thrown away`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.head()
            try provider.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
            try proxy.settle()
            // The client has not looked yet and goes on.
            for _ in 0..<20 { try client.send([UInt8](repeating: 1, count: 1_000)) }
            let answer = try client.answer()
            #expect(answer.status == 413 && answer.text == "big" && answer.closes)
            #expect(try client.hasEnded())
            #expect(try provider.hasEnded())
        }

        @Test func `an answer that begins before the upload's end and ends after it is whole`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc")
            let provider = try upstream.accept()
            _ = try provider.head()
            #expect(try provider.exactly(3) == Array("abc".utf8))
            try provider.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123")
            _ = try client.through("123")
            try client.send("def")
            #expect(try provider.exactly(3) == Array("def".utf8))
            try provider.send("456")
            #expect(try client.exactly(3) == Array("456".utf8))
        }

        @Test func `a refusal half-way through a large upload arrives though the provider stops reading`()
            throws
        {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.head()
            let upload = try Aside { () -> Bool in
                do { try client.send([UInt8](repeating: 7, count: 1_000_000)) } catch { return false }
                return true
            }
            _ = try provider.exactly(100_000)
            try provider.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nstop")
            // With unread bytes, this is a reset.
            provider.close()
            _ = try upload.value()
            let answer = try client.answer()
            #expect(answer.status == 400 && answer.text == "stop")
        }
    }
}
