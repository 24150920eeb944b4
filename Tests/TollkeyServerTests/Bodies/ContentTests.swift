import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Content of every framing, both ways, between a raw client and a raw upstream.
    struct ContentTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(.plain(upstream.port))
        }

        /// A call with `request` that is answered with `answer`: what the upstream saw, and what the client.
        private func exchange(_ request: String, _ answer: String, toHead: Bool = false) throws -> (
            seen: Message, answered: Message
        ) {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: request)
            let provider = try upstream.accept()
            let seen = try provider.request()
            try provider.send(answer)
            let answered = try client.answer(toHead: toHead)
            #expect(client.isQuiet)
            return (seen, answered)
        }

        @Test func `content with a length goes both ways with that length`() throws {
            let (seen, answered) = try exchange(post("/a?b=c", "ping"), ok("pong"))
            #expect(seen.startLine == "POST /a?b=c HTTP/1.1")
            #expect(seen.values(of: "Host") == ["127.0.0.1:\(upstream.port)"])
            #expect(seen.values(of: "X-Key") == ["s3cr3t"])
            #expect(seen.values(of: "Content-Length") == ["4"] && seen.text == "ping")
            #expect(answered.startLine == "HTTP/1.1 200 OK" && answered.text == "pong")
            #expect(answered.values(of: "Content-Length") == ["4"])
            #expect(answered.value(of: "Connection") == nil)
        }

        @Test func `chunks and trailers go both ways`() throws {
            let chunks =
                "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nHost: evil.test\r\nCookie: a=b\r\n\r\n"
            let (seen, answered) = try exchange(
                "PUT /acme/x HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunks,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Done\r\n\r\n"
                    + "4\r\nwxyz\r\n0\r\nX-Done: yes\r\nTollkey-Problem: draining\r\n\r\n")
            #expect(seen.text == "abcde" && seen.values(of: "Transfer-Encoding") == ["chunked"])
            #expect(seen.trailers == [Message.Field(name: "X-Sum", value: "5")])
            #expect(answered.text == "wxyz" && answered.values(of: "Transfer-Encoding") == ["chunked"])
            #expect(answered.trailers == [Message.Field(name: "X-Done", value: "yes")])
        }

        @Test func `empty content stays empty content`() throws {
            let (seen, answered) = try exchange(post("/", ""), ok(""))
            #expect(seen.values(of: "Content-Length") == ["0"])
            #expect(answered.values(of: "Content-Length") == ["0"] && answered.body.isEmpty)
        }

        @Test func `an answer to HEAD has the length and no content`() throws {
            let (seen, answered) = try exchange(
                "HEAD /acme/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", toHead: true)
            #expect(seen.startLine == "HEAD / HTTP/1.1")
            #expect(answered.values(of: "Content-Length") == ["5"])
        }

        @Test func `204 and 304 have no content, and 304 keeps the length that it tells`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/gone"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n")
            #expect(try client.answer().values(of: "Content-Length") == [])
            try client.send(get("/same"))
            _ = try provider.request()
            try provider.send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 14\r\n\r\n")
            let answer = try client.answer()
            #expect(answer.status == 304 && answer.values(of: "Content-Length") == ["14"])
            #expect(client.isQuiet)
            try client.send(get("/again"))
            _ = try provider.request()
            try provider.send(ok())
            #expect(try client.answer().text == "hello")
        }

        @Test func `content that the connection's end ends arrives whole, in chunks`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send("HTTP/1.1 200 OK\r\n\r\nsome")
            #expect(try client.head().values(of: "Transfer-Encoding") == ["chunked"])
            #expect(try client.through("some\r\n").count == 9)
            try provider.send(" more")
            provider.close()
            #expect(String(decoding: try client.through("0\r\n\r\n"), as: UTF8.self).contains(" more"))
        }

        @Test(arguments: ["p", "ping", String(repeating: "p", count: 40)])
        func `a small content in a packet of its own leaves the connection good for the next request`(
            _ content: String
        ) throws {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending:
                    "POST /acme/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
            )
            let provider = try upstream.accept()
            #expect(try provider.head().startLine == "POST /1 HTTP/1.1")
            try client.send(content)
            #expect(try provider.exactly(content.utf8.count) == Array(content.utf8))
            try provider.send(ok("pong"))
            #expect(try client.answer().text == "pong")
            try proxy.settle()
            guard provider.isQuiet else {
                Issue.record("a request that nobody made: \(try provider.head().startLine)")
                return
            }
            try #require(client.isQuiet, "an answer that nobody asked for")
            try client.send(get("/2"))
            #expect(try provider.request().startLine == "GET /2 HTTP/1.1")
            try provider.send(ok("again"))
            #expect(try client.answer().text == "again")
        }

        @Test(arguments: [
            "POST /acme/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
            "POST /acme/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-T: 1\r\n\r\n",
        ])
        func `a request may be split at every byte`(_ request: String) throws {
            defer { proxy.stop() }
            let bytes = Array(request.utf8)
            let client = try proxy.connect()
            let provider = try {
                try client.sendByteByByte(request)
                return try upstream.accept()
            }()
            #expect(try provider.request().text == "hello")
            try provider.send(ok())
            #expect(try client.answer().text == "hello")
            for split in 1..<bytes.count {
                try client.send(Array(bytes[..<split]))
                try proxy.settle()
                try #require(client.isQuiet, "an answer that nobody asked for, split at \(split)")
                try client.send(Array(bytes[split...]))
                #expect(try provider.request().text == "hello", "split at \(split)")
                try provider.send(ok("\(split)"))
                #expect(try client.answer().text == "\(split)")
            }
        }

        @Test func `an answer may be split at every byte`() throws {
            defer { proxy.stop() }
            let answer =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n"
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.sendByteByByte(answer)
            #expect(try client.answer().text == "hello")
            let bytes = Array(answer.utf8)
            for split in 1..<bytes.count {
                try client.send(get("/\(split)"))
                _ = try provider.request()
                try provider.send(Array(bytes[..<split]))
                try proxy.settle()
                try provider.send(Array(bytes[split...]))
                let answer = try client.answer()
                #expect(answer.text == "hello" && answer.trailers.count == 1, "split at \(split)")
            }
        }
    }
}
