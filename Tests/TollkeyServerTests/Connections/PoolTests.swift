import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// The bounds on connections to a provider, and on those who wait for one.
    struct PoolTests {
        let upstream: RawUpstream

        init() throws { upstream = try RawUpstream() }

        private func proxy(_ change: (inout PoolSettings) -> Void) throws -> Proxy {
            var provider = ProviderSettings.plain(upstream.port)
            change(&provider.pool)
            return try Proxy(provider)
        }

        @Test func `with one connection the second call waits and is served after the first`() throws {
            let proxy = try proxy { $0.connections = 1 }
            defer { proxy.stop() }
            let first = try proxy.connect(sending: get("/1"))
            let provider = try upstream.accept()
            #expect(try provider.request().startLine == "GET /1 HTTP/1.1")
            let second = try proxy.connect(sending: get("/2"))
            try proxy.settle()
            #expect(!upstream.hasCaller && provider.isQuiet)
            try provider.send(ok("1"))
            #expect(try provider.request().startLine == "GET /2 HTTP/1.1")
            try provider.send(ok("2"))
            #expect(try first.answer().text == "1")
            #expect(try second.answer().text == "2")
        }

        @Test func `those who wait are served in their order, and who hangs up loses the place`() throws {
            let proxy = try proxy { $0.connections = 1 }
            defer { proxy.stop() }
            var clients: [RawConnection] = []
            for number in 0...3 {
                clients.append(try proxy.connect(sending: get("/\(number)")))
                try proxy.settle()
            }
            clients[2].reset()
            try proxy.settle()
            let provider = try upstream.accept()
            for number in [0, 1, 3] {
                #expect(try provider.request().startLine == "GET /\(number) HTTP/1.1")
                try provider.send(ok("\(number)"))
                #expect(try clients[number].answer().text == "\(number)")
            }
            #expect(provider.isQuiet && !upstream.hasCaller)
        }

        @Test func `a call beyond those that may wait is told to come again`() throws {
            let proxy = try proxy {
                $0.connections = 1
                $0.waiting = 1
            }
            defer { proxy.stop() }
            let first = try proxy.connect(sending: get("/1"))
            let provider = try upstream.accept()
            _ = try provider.request()
            let second = try proxy.connect(sending: get("/2"))
            try proxy.settle()
            let third = try proxy.answer(to: get("/3"))
            try expectProblem(third, 503, "overloaded", mayHaveBeenProcessed: false)
            #expect(third.values(of: "Retry-After").compactMap { Int($0) }.allSatisfy { $0 > 0 })
            #expect(third.values(of: "Retry-After").count == 1)
            try provider.send(ok("1"))
            #expect(try first.answer().text == "1")
            _ = try provider.request()
            try provider.send(ok("2"))
            #expect(try second.answer().text == "2")
        }

        @Test func `where nobody may wait, a call is served while connections are free`() throws {
            let proxy = try proxy { $0.waiting = 0 }
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/1"))
            try proxy.settle()
            try #require(client.isQuiet, "answered without the provider")
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send(ok())
            #expect(try client.answer().status == 200)
        }

        /// A call whose connection is just being opened does not wait for one that is busy.
        @Test func `calls that have connections opened for them do not count as waiting`() throws {
            var provider = ProviderSettings.plain(upstream.port)
            provider.upstream.scheme = .https
            provider.pool.waiting = 1
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            // Nobody answers the handshakes.
            let clients = try (0..<3).map { try proxy.connect(sending: get("/\($0)")) }
            try proxy.settle()
            for client in clients { #expect(client.isQuiet) }
        }

        @Test func `a call waits for a connection as long as it may`() throws {
            var provider = ProviderSettings.plain(upstream.port)
            provider.pool.connections = 1
            provider.pool.wait = .seconds(3)
            provider.timeouts.connect = .seconds(1)
            provider.timeouts.tls = .seconds(1)
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let first = try proxy.connect(sending: get("/1"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let second = try proxy.connect(sending: get("/2"))
            try proxy.settle()
            proxy.advance(by: .seconds(3))
            let refused = try second.answer()
            try expectProblem(refused, 503, "overloaded", mayHaveBeenProcessed: false)
            #expect(refused.values(of: "Retry-After") == ["1"])
            try connection.send(ok("1"))
            #expect(try first.answer().text == "1")
            #expect(connection.isQuiet)
        }

        @Test func `a failed connection lets the next call try`() throws {
            let refusing = try RawUpstream(listens: false)
            var provider = ProviderSettings.plain(refusing.port)
            provider.pool.connections = 1
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            for _ in 0..<3 {
                try expectProblem(
                    proxy.answer(to: get("/")), 502, "upstream-unreachable", mayHaveBeenProcessed: false)
            }
        }

        @Test func `an upload that waits for a connection arrives whole`() throws {
            let proxy = try proxy { $0.connections = 1 }
            defer { proxy.stop() }
            let first = try proxy.connect(sending: get("/1"))
            let provider = try upstream.accept()
            _ = try provider.request()
            let content = String(repeating: "0123456789", count: 100_000)
            let second = try proxy.connect()
            let upload = try Aside { try second.send(post("/2", content)) }
            try proxy.settle()
            try provider.send(ok("1"))
            #expect(try first.answer().text == "1")
            #expect(try provider.request().body == Array(content.utf8))
            try upload.value()
            try provider.send(ok("2"))
            #expect(try second.answer().text == "2")
        }

        @Test func `two hundred clients share eight connections`() async throws {
            try await withStage { stage in
                var narrow = stage.piaxis
                narrow.pool.connections = 8
                let proxy = try Proxy(narrow)
                defer { proxy.stop() }
                let clients = try (0..<200).map { _ in try proxy.connect() }
                for round in 0..<3 {
                    for client in clients { try client.send(post("/sandbox/sink", "round \(round)")) }
                    for client in clients { #expect(try client.answer().text == "{\"received\":7}") }
                }
                #expect(stage.sandbox.record.count(of: .piaxis) == 600)
                #expect(stage.sandbox.record.connections == 8)
            }
        }
    }
}
