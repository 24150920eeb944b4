import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Where a provider is, and which of its addresses answers.
    struct AddressTests {
        @Test func `when the first address refuses, the second is used, and first the next time`() throws {
            let refusing = try RawUpstream(listens: false)
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.upstream.host = "api.acme.test"
            provider.addresses = [
                UpstreamAddress(host: "127.0.0.1", port: refusing.port),
                UpstreamAddress(host: "127.0.0.1", port: upstream.port),
            ]
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            for _ in 0..<2 {
                let client = try proxy.connect(sending: get("/"))
                let connection = try upstream.accept()
                #expect(try connection.request().values(of: "Host") == ["api.acme.test:\(upstream.port)"])
                try connection.send(ok("hello", "Connection: close\r\n"))
                #expect(try client.answer().status == 200)
            }
        }

        @Test func `what a refusing address said does not spoil the connection to the next`() throws {
            let refusing = try RawUpstream(listens: false)
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.addresses = [
                UpstreamAddress(host: "127.0.0.1", port: refusing.port),
                UpstreamAddress(host: "127.0.0.1", port: upstream.port),
            ]
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/1"))
            let connection = try upstream.accept()
            for path in ["/1", "/2"] {
                if path != "/1" { try client.send(get(path)) }
                #expect(try connection.request().startLine == "GET \(path) HTTP/1.1")
                try connection.send(ok())
                #expect(try client.answer().status == 200)
            }
        }

        @Test func `when no address accepts, nothing was processed`() throws {
            let refusing = try RawUpstream(listens: false)
            var provider = ProviderSettings.plain(refusing.port)
            provider.addresses = (0..<3).map { _ in UpstreamAddress(host: "127.0.0.1", port: refusing.port) }
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            let problem = try expectProblem(
                proxy.answer(to: post("/", "pay")), 502, "upstream-unreachable", mayHaveBeenProcessed: false)
            #expect(problem.detail.contains("refused") && problem.provider == "acme")
        }

        @Test func `an IPv6 address is connected to, and named in brackets`() throws {
            let upstream = try RawUpstream(host: "::1")
            let proxy = try Proxy(.plain(upstream.port, host: "::1"))
            defer { proxy.stop() }
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            #expect(try connection.request().values(of: "Host") == ["[::1]:\(upstream.port)"])
            try connection.send(ok())
            #expect(try client.answer().status == 200)
        }

        @Test func `a name is resolved`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port, host: "localhost"))
            defer { proxy.stop() }
            let clients = try (0..<3).map { _ in try proxy.connect(sending: get("/")) }
            for _ in clients {
                let connection = try upstream.accept()
                #expect(try connection.request().values(of: "Host") == ["localhost:\(upstream.port)"])
                try connection.send(ok("hello", "Connection: close\r\n"))
            }
            for client in clients { #expect(try client.answer().status == 200) }
        }

        @Test func `a name that nobody can resolve is said to be that`() throws {
            // Longer than a label of a name may be: no server has to be asked.
            let name = String(repeating: "a", count: 64) + ".test"
            let proxy = try Proxy(.plain(RawUpstream().port, host: name))
            defer { proxy.stop() }
            for _ in 0..<2 {
                let problem = try expectProblem(
                    proxy.answer(to: get("/")), 502, "upstream-unreachable", mayHaveBeenProcessed: false)
                #expect(problem.detail.contains("resolved"))
            }
        }

        @Test func `a redirect into the provider's base leads back through the proxy`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let answer = try proxy.answer(to: get("/sandbox/redirect"))
                #expect(answer.status == 302 && answer.values(of: "Location") == ["/acme/sandbox/echo"])
            }
        }

        @Test func `several event loops serve side by side`() async throws {
            try await withStage { stage in
                var settings = Settings(to: [stage.piaxis])
                settings.threads = 3
                let proxy = try Proxy(settings)
                defer { proxy.stop() }
                let clients = try (0..<12).map { _ in try proxy.connect(sending: get("/sandbox/echo")) }
                for client in clients { #expect(try client.answer().status == 200) }
            }
        }
    }
}
