import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// How long clients may take, by a clock that is moved by hand.
    struct ClientTimeoutTests {
        let upstream: RawUpstream
        let proxy: Proxy

        init() throws {
            upstream = try RawUpstream()
            var settings = Settings(to: [.plain(upstream.port)])
            settings.timeouts.head = .seconds(30)
            settings.timeouts.body = .seconds(60)
            settings.timeouts.idle = .seconds(75)
            proxy = try Proxy(settings)
        }

        @Test func `a head that does not end is answered with 408 and the connection's end`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.1\r\nHost: loc")
            try proxy.settle()
            proxy.advance(by: .seconds(29))
            try proxy.settle()
            #expect(client.isQuiet)
            proxy.advance(by: .seconds(1))
            let answer = try client.answer()
            try expectProblem(answer, 408, "request-timeout")
            #expect(answer.closes)
            #expect(try client.hasEnded())
        }

        @Test func `more bytes of a head give it no more time`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /acme/ HTTP/1.1\r\n")
            try proxy.settle()
            for _ in 0..<3 {
                proxy.advance(by: .seconds(9))
                try client.send("X-A: 1\r\n")
                try proxy.settle()
            }
            proxy.advance(by: .seconds(4))
            try expectProblem(client.answer(), 408, "request-timeout")
        }

        @Test func `a connection on which nothing comes is closed without a word`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect()
            try proxy.settle()
            proxy.advance(by: .seconds(30))
            #expect(try client.rest() == [])
        }

        @Test func `a connection between two requests is closed when its time is over`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(ok())
            _ = try client.answer()
            proxy.advance(by: .seconds(74))
            try proxy.settle()
            #expect(client.isQuiet)
            proxy.advance(by: .seconds(1))
            #expect(try client.rest() == [])
        }

        @Test func `the time for a second head begins with its first byte`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(sending: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try client.answer()
            proxy.advance(by: .seconds(70))
            try client.send("GET /nowhere HT")
            try proxy.settle()
            proxy.advance(by: .seconds(29))
            try proxy.settle()
            #expect(client.isQuiet)
            try client.send("TP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.answer().status == 404)
        }

        @Test func `content that stops arriving is answered with 408, and the provider sees no end of it`()
            throws
        {
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.head()
            for piece in ["abc", "def"] {
                proxy.advance(by: .seconds(59))
                try client.send(piece)
                #expect(try provider.exactly(3) == Array(piece.utf8))
            }
            proxy.advance(by: .seconds(60))
            let answer = try client.answer()
            try expectProblem(answer, 408, "request-timeout", mayHaveBeenProcessed: true)
            #expect(answer.closes)
            #expect(try provider.hasEnded())
        }

        @Test func `a client that takes nothing of its answer is cut`() throws {
            defer { proxy.stop() }
            let client = try proxy.connect(receiveBytes: 16 << 10)
            try client.send(get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            let total = 32 << 20
            try provider.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let download = try Aside { () -> Bool in
                do { try provider.send([UInt8](repeating: 1, count: total)) } catch { return false }
                return true
            }
            _ = try client.head()
            _ = try client.exactly(1_000)
            // Once more is on its way than the buffers between hold, the proxy waits for the client.
            for _ in 0..<1_000 where !provider.hasHungUp {
                try proxy.settle()
                proxy.advance(by: .seconds(60))
            }
            #expect(try download.value() == false)
            // What the system had taken still comes, and behind it the end.
            var count = 1_000
            while case let piece = try client.some(upTo: 64 << 10), !piece.isEmpty { count += piece.count }
            #expect(count < total)
        }

        @Test func `a client beyond the bound on connections is served when another goes`() throws {
            defer { proxy.stop() }
            var settings = Settings(to: [.plain(upstream.port)])
            settings.limits.connections = 1
            let proxy = try Proxy(settings)
            defer { proxy.stop() }
            let request = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let first = try proxy.connect(sending: request)
            #expect(try first.answer().status == 404)
            let second = try proxy.connect(sending: request)
            try first.send(request)
            #expect(try first.answer().status == 404)
            #expect(second.isQuiet)
            first.close()
            #expect(try second.answer().status == 404)
        }
    }
}
