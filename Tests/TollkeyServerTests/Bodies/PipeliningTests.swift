import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Requests that are sent before the one in front of them is answered (RFC 9112 §9.3.2).
    struct PipeliningTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(.plain(upstream.port))
        }

        @Test func `pipelined requests are answered in their order`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: get("/1") + post("/2", "two") + "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    + get("/3") + get("/4"))
            let provider = try upstream.accept()
            for number in 1...4 {
                let seen = try provider.request()
                #expect(seen.startLine.contains(" /\(number) "))
                try provider.send(ok("answer \(number) \(seen.text)"))
            }
            #expect(try client.answer().text == "answer 1 ")
            #expect(try client.answer().text == "answer 2 two")
            #expect(try client.answer().status == 404)
            #expect(try client.answer().text == "answer 3 ")
            #expect(try client.answer().text == "answer 4 ")
        }

        @Test(arguments: [
            ("Content-Length: 6", "abc", "def"),
            ("Transfer-Encoding: chunked", "3\r\nabc", "\r\n3\r\ndef\r\n0\r\n\r\n"),
        ])
        func `a request that comes together with the end of the content before it is the next`(
            _ framing: String, _ first: String, _ second: String
        ) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/1 HTTP/1.1\r\nHost: localhost\r\n\(framing)\r\n\r\n" + first)
            let provider = try upstream.accept()
            try proxy.settle()
            let next = get("/2")
            try client.send(second + next.prefix(30))
            try proxy.settle()
            try client.send(String(next.dropFirst(30)) + get("/3"))
            #expect(try provider.request().text == "abcdef")
            try provider.send(ok("1"))
            for number in 2...3 {
                #expect(try provider.request().startLine == "GET /\(number) HTTP/1.1")
                try provider.send(ok("\(number)"))
            }
            for number in 1...3 { #expect(try client.answer().text == "\(number)") }
        }

        @Test func `behind a refused request the next one is answered, its content skipped`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
                    + get("/2"))
            try expectProblem(client.answer(), 404, "no-route")
            let provider = try upstream.accept()
            #expect(try provider.request().startLine == "GET /2 HTTP/1.1")
            try provider.send(ok())
            #expect(try client.answer().status == 200)
        }

        @Test func `behind a request that asks to close, nothing is read`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/1", "Connection: close\r\n") + get("/2"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(ok())
            #expect(try client.answer().closes)
            #expect(try client.hasEnded())
            #expect(provider.isQuiet && !upstream.hasCaller)
        }

        @Test func `a thousand pipelined requests are all answered`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect()
            let sending = try Aside { try client.send(String(repeating: get("/x"), count: 1_000)) }
            let provider = try upstream.accept()
            let serving = try Aside {
                for number in 0..<1_000 {
                    _ = try provider.request()
                    try provider.send(ok("\(number)"))
                }
            }
            try sending.value()
            for number in 0..<1_000 { #expect(try client.answer().text == "\(number)") }
            try serving.value()
        }
    }
}
