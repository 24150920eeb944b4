import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// How long a provider may take, by a clock that is moved by hand.
    struct UpstreamTimeoutTests {
        let upstream: RawUpstream

        init() throws { upstream = try RawUpstream() }

        private func proxy(_ change: (inout ProviderSettings) -> Void = { _ in }) throws -> Proxy {
            var provider = ProviderSettings.plain(upstream.port)
            provider.timeouts.connect = .seconds(5)
            provider.timeouts.tls = .seconds(10)
            provider.timeouts.head = .seconds(20)
            provider.timeouts.idle = .seconds(30)
            change(&provider)
            return try Proxy(provider)
        }

        @Test func `a provider that does not accept is given up`() throws {
            // With a queue for nobody, one connection fills it, and the next is not answered.
            let full = try RawUpstream(backlog: 0)
            let filler = try RawConnection.toPort(full.port)
            let proxy = try proxy { $0.upstream.port = full.port }
            defer { proxy.stop() }
            let client = try proxy.connect(sending: post("/", "pay"))
            try proxy.settle()
            #expect(client.isQuiet)
            proxy.advance(by: .seconds(5))
            try expectProblem(client.answer(), 504, "upstream-timeout", mayHaveBeenProcessed: false)
            filler.close()
        }

        @Test func `an address that does not accept leaves time for the next`() throws {
            let full = try RawUpstream(backlog: 0)
            let filler = try RawConnection.toPort(full.port)
            let proxy = try proxy {
                $0.addresses = [full.port, upstream.port].map { UpstreamAddress(host: "127.0.0.1", port: $0) }
            }
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            try proxy.settle()
            proxy.advance(by: .milliseconds(2_500))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(ok())
            #expect(try client.answer().status == 200)
            filler.close()
        }

        @Test func `a handshake that is not answered is given up`() async throws {
            try await withScripts([[.stall]]) { scripted in
                let proxy = try proxy {
                    $0.upstream.port = scripted.port
                    $0.upstream.scheme = .https
                }
                defer { proxy.stop() }
                let client = try proxy.connect(sending: post("/", "pay"))
                _ = try await scripted.received(connection: 0, atLeast: 1)
                proxy.advance(by: .milliseconds(9_900))
                try proxy.settle()
                #expect(client.isQuiet)
                proxy.advance(by: .milliseconds(200))
                try expectProblem(client.answer(), 504, "upstream-timeout", mayHaveBeenProcessed: false)
                try await scripted.closed(connection: 0)
            }
        }

        @Test func `a head that does not come is given up, and may have been processed`() async throws {
            try await withStage { stage in
                var provider = stage.piaxis
                provider.timeouts.head = .seconds(20)
                let proxy = try Proxy(provider)
                defer { proxy.stop() }
                let client = try proxy.connect(sending: get("/sandbox/echo", "X-Sandbox-Fault: stall\r\n"))
                try await stage.sandbox.record.reaches(1, of: .piaxis)
                proxy.advance(by: .milliseconds(19_900))
                try proxy.settle()
                #expect(client.isQuiet)
                proxy.advance(by: .milliseconds(200))
                let answer = try client.answer()
                try expectProblem(answer, 504, "upstream-timeout", mayHaveBeenProcessed: true)
                #expect(!answer.closes)
                #expect(stage.sandbox.record.count(of: .piaxis) == 1)
            }
        }

        @Test func `interim answers give a head no more time`() throws {
            let proxy = try proxy()
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            proxy.advance(by: .seconds(19))
            try connection.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            #expect(try client.answer().status == 103)
            proxy.advance(by: .seconds(1))
            try expectProblem(client.answer(), 504, "upstream-timeout", mayHaveBeenProcessed: true)
        }

        @Test func `while content arrives slowly, the time for the head has not begun`() throws {
            let proxy = try proxy()
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
            let connection = try upstream.accept()
            _ = try connection.head()
            _ = try connection.exactly(1)
            proxy.advance(by: .seconds(50))
            try client.send("b")
            _ = try connection.exactly(1)
            proxy.advance(by: .seconds(19))
            try proxy.settle()
            #expect(client.isQuiet)
            try connection.send(ok())
            #expect(try client.answer().status == 200)
        }

        @Test func `an answer that stops in the middle is cut`() throws {
            let proxy = try proxy()
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try client.head()
            for _ in 0..<3 {
                proxy.advance(by: .seconds(29))
                try connection.send("1\r\nx\r\n")
                _ = try client.through("x\r\n")
            }
            proxy.advance(by: .seconds(30))
            #expect(try client.rest() == [])
            #expect(try connection.hasEnded())
        }

        @Test func `a provider that stops taking the request is given up`() throws {
            let proxy = try proxy()
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "PUT /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 64000000\r\n\r\n")
            let connection = try upstream.accept()
            _ = try connection.head()
            let piece = [UInt8](repeating: 1, count: 256 << 10)
            while client.sendWithoutWaiting(piece) > 0 { try proxy.settle() }
            proxy.advance(by: .seconds(30))
            let answer = try client.answer()
            try expectProblem(answer, 504, "upstream-timeout", mayHaveBeenProcessed: true)
        }

        @Test(arguments: [false, true])
        func `the whole exchange has a bound of its own`(_ hasHead: Bool) throws {
            let proxy = try proxy { $0.timeouts.whole = .seconds(40) }
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            if hasHead {
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                _ = try client.head()
                for _ in 0..<2 {
                    proxy.advance(by: .seconds(19))
                    try connection.send("1\r\nx\r\n")
                    _ = try client.through("x\r\n")
                }
                proxy.advance(by: .seconds(2))
                #expect(try client.rest() == [])
            } else {
                proxy.advance(by: .seconds(40))
                try expectProblem(client.answer(), 504, "upstream-timeout", mayHaveBeenProcessed: true)
            }
            #expect(try connection.hasEnded())
        }

        @Test func `the whole exchange's bound also ends an upload`() throws {
            let proxy = try proxy { $0.timeouts.whole = .seconds(40) }
            defer { proxy.stop() }
            let client = try proxy.connect(
                sending: "POST /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
            let connection = try upstream.accept()
            _ = try connection.head()
            proxy.advance(by: .seconds(39))
            try client.send("a")
            _ = try connection.exactly(1)
            proxy.advance(by: .seconds(1))
            try expectProblem(client.answer(), 504, "upstream-timeout", mayHaveBeenProcessed: true)
            #expect(try connection.hasEnded())
        }
    }
}
