import Glibc
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Listeners on unix sockets, and callers by the kernel's word.
    struct UnixSocketTests {
        let upstream: RawUpstream
        let folder: TemporaryFolder
        let path: String

        init() throws {
            upstream = try RawUpstream()
            folder = try TemporaryFolder()
            path = folder.path + "/proxy.sock"
        }

        private func settings(_ peers: PeerRule?) -> Settings {
            var provider = ProviderSettings.plain(upstream.port)
            provider.peers = peers
            var settings = Settings(to: [provider])
            settings.listeners.append(.unix(path: path))
            return settings
        }

        private func rule(uids: [UInt32] = [], gids: [UInt32] = []) -> PeerRule {
            var rule = PeerRule()
            rule.uids = uids
            rule.gids = gids
            return rule
        }

        @Test func `a listed caller passes, and its answer comes back`() throws {
            for rule in [rule(uids: [getuid()]), rule(uids: [getuid() + 1], gids: [getgid()])] {
                let proxy = try Proxy(settings(rule))
                defer { proxy.stop() }
                let client = try RawConnection.toPath(path)
                try client.send(get("/"))
                let connection = try upstream.accept()
                _ = try connection.request()
                try connection.send(ok())
                #expect(try client.answer().text == "hello")
            }
        }

        @Test func `a caller that is not listed, or comes over TCP, is refused`() throws {
            let proxy = try Proxy(settings(rule(uids: [getuid() + 1], gids: [getgid() + 1])))
            defer { proxy.stop() }
            let client = try RawConnection.toPath(path)
            try client.send(get("/"))
            #expect(try expectProblem(client.answer(), 403, "forbidden-peer").provider == "acme")
            let own = try Proxy(settings(rule(uids: [getuid()])).with { $0.listeners.removeLast() })
            defer { own.stop() }
            try expectProblem(own.answer(to: get("/")), 403, "forbidden-peer")
            #expect(!upstream.hasCaller)
        }

        @Test func `without a rule everybody may call over either listener`() throws {
            let proxy = try Proxy(settings(nil))
            defer { proxy.stop() }
            for client in [try RawConnection.toPath(path), try proxy.connect()] {
                try client.send(get("/", "Connection: close\r\n"))
                let connection = try upstream.accept()
                _ = try connection.request()
                try connection.send(ok("hello", "Connection: close\r\n"))
                #expect(try client.answer().text == "hello")
            }
        }

        @Test func `the socket's file goes when the proxy ends, and a stale one is replaced`() throws {
            let first = try Proxy(settings(nil))
            #expect(throws: StartFailure.self) { try Proxy(settings(nil)) }
            first.stop()
            #expect(access(path, F_OK) != 0)
            let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #expect(RawAddress(path: path).withPointer { bind(stale, $0, $1) } == 0)
            close(stale)
            let second = try Proxy(settings(nil))
            defer { second.stop() }
            let client = try RawConnection.toPath(path)
            try client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.answer().status == 404)
        }

        @Test func `a file that is no socket is left alone`() throws {
            let file = try folder.write("mine", to: "proxy.sock")
            let failure = #expect(throws: StartFailure.self) { try Proxy(settings(nil)) }
            #expect(failure?.description.contains(file) == true)
            #expect(access(file, F_OK) == 0)
        }

        @Test func `a socket that was handed over is listened on`() throws {
            let handed = try RawUpstream()
            let proxy = try Proxy(Settings(to: [.plain(upstream.port)]), inherited: [handed.duplicate()])
            defer { proxy.stop() }
            #expect(proxy.server.ports.contains(handed.port))
            let client = try RawConnection.toPort(handed.port)
            try client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try client.answer().status == 404)
        }
    }
}
