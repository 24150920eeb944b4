import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Another configuration while calls are running.
    struct ReloadTests {
        let upstream: RawUpstream
        let provider: ProviderSettings

        init() throws {
            upstream = try RawUpstream()
            provider = .plain(upstream.port)
        }

        /// A download that has begun, on its client's and on its provider's side.
        private func download(_ proxy: Proxy) throws -> (client: RawConnection, provider: RawConnection) {
            let client = try proxy.connect(sending: get("/download"))
            let connection = try upstream.accept()
            #expect(try connection.request().values(of: "X-Key") == ["s3cr3t"])
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            _ = try client.through("hello")
            return (client, connection)
        }

        private func finish(_ download: (client: RawConnection, provider: RawConnection)) throws {
            try download.provider.send("world")
            #expect(try download.client.exactly(5) == Array("world".utf8))
        }

        @Test func `a changed secret is in the next call, and the running one ends unharmed`() throws {
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let running = try download(proxy)
            var changed = provider
            changed.secrets = ["key": Secret("n3w")]
            try proxy.server.reload(Settings(to: [changed]))
            try finish(running)
            // Over the same connection: nothing about it has changed.
            try running.client.send(get("/next"))
            #expect(try running.provider.request().values(of: "X-Key") == ["n3w"])
            try running.provider.send(ok())
            #expect(try running.client.answer().status == 200)
        }

        @Test func `a route that is taken away is gone, and its running call ends unharmed`() throws {
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let running = try download(proxy)
            try proxy.server.reload(Settings(to: []))
            try expectProblem(proxy.answer(to: get("/")), 404, "no-route")
            try finish(running)
            try running.client.send(get("/next"))
            #expect(try running.client.answer().status == 404)
            #expect(try running.provider.hasEnded())
        }

        @Test func `a route that is added is there`() throws {
            let proxy = try Proxy(Settings(to: []))
            defer { proxy.stop() }
            try expectProblem(proxy.answer(to: get("/")), 404, "no-route")
            try proxy.server.reload(Settings(to: [provider]))
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            try connection.send(ok())
            #expect(try client.answer().status == 200)
        }

        @Test func `a provider that has moved is called where it is now`() throws {
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let running = try download(proxy)
            let idle = try proxy.connect(sending: get("/idle"))
            let idleConnection = try upstream.accept()
            _ = try idleConnection.request()
            try idleConnection.send(ok())
            _ = try idle.answer()
            let elsewhere = try RawUpstream()
            try proxy.server.reload(Settings(to: [.plain(elsewhere.port)]))
            #expect(try idleConnection.hasEnded())
            try idle.send(get("/moved"))
            let connection = try elsewhere.accept()
            #expect(try connection.request().startLine == "GET /moved HTTP/1.1")
            try connection.send(ok())
            #expect(try idle.answer().status == 200)
            try finish(running)
            #expect(try running.provider.hasEnded())
        }

        @Test func `a call that waits for a connection when its provider moves is still served`() throws {
            var narrow = provider
            narrow.pool.connections = 1
            let proxy = try Proxy(narrow)
            defer { proxy.stop() }
            let running = try download(proxy)
            let waiting = try proxy.connect(sending: get("/waiting"))
            try proxy.settle()
            try proxy.server.reload(Settings(to: [.plain(RawUpstream().port)]))
            try proxy.settle()
            try finish(running)
            #expect(try running.provider.request().startLine == "GET /waiting HTTP/1.1")
            try running.provider.send(ok())
            #expect(try waiting.answer().status == 200)
        }

        @Test func `a reload that fails changes nothing`() throws {
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            var changed = provider
            changed.secrets = ["key": Secret("n3w")]
            var unreadable = changed
            unreadable.name = "other"
            unreadable.route = "/other"
            unreadable.upstream.scheme = .https
            let folder = try TemporaryFolder()
            unreadable.tls.ca = folder.path + "/missing.pem"
            let taken = ListenAddress.tcp(host: "127.0.0.1", port: upstream.port)
            let socket = folder.path + "/proxy.sock"
            let bad = [
                Settings(to: [changed, unreadable]), Settings(to: [changed]).with { $0.listeners = [taken] },
                Settings(to: [changed]).with { $0.listeners += [.unix(path: socket), taken] },
            ]
            for settings in bad {
                #expect(throws: StartFailure.self) { try proxy.server.reload(settings) }
                #expect(throws: RawConnection.Failure.self) { try RawConnection.toPath(socket) }
                let client = try proxy.connect(sending: get("/"))
                let connection = try upstream.accept()
                #expect(try connection.request().values(of: "X-Key") == ["s3cr3t"])
                try connection.send(ok("hello", "Connection: close\r\n"))
                #expect(try client.answer().status == 200)
            }
        }

        @Test func `a listener that is added serves, and one that is taken away does not`() throws {
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let port = proxy.port
            let old = try proxy.connect(sending: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try old.answer().status == 404)
            let second = ListenAddress.tcp(host: "::1", port: 0)
            try proxy.server.reload(Settings(to: [provider]).with { $0.listeners.append(second) })
            let ports = proxy.server.ports
            let added = try #require(ports.first { $0 != port })
            #expect(ports.count == 2 && ports.contains(port))
            try proxy.server.reload(Settings(to: [provider]).with { $0.listeners = [second] })
            #expect(proxy.server.ports == [added])
            for _ in 0..<2 {
                let client = try RawConnection.toPort(added, host: "::1")
                try client.send("GET /nowhere HTTP/1.1\r\nHost: [::1]\r\n\r\n")
                #expect(try client.answer().status == 404)
            }
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPort(port) }
            // Who was there already stays.
            try old.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try old.answer().status == 404)
        }
    }
}
