import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// A reload and the end of the proxy, in each other's way.
    struct ReloadDrainTests {
        private let upstream: RawUpstream
        private let proxy: Proxy
        private let token = ["Authorization: Bearer a-token-for-operators"]

        init() throws {
            upstream = try RawUpstream()
            proxy = try Proxy(Settings(to: [.plain(upstream.port)]).administered)
        }

        /// Drains on a thread of its own, and returns once that can be seen.
        private func beginDraining(_ timeout: Duration) throws -> Aside<Void> {
            let draining = try Aside { [proxy] in proxy.server.drain(timeout: timeout) }
            #expect(try comesTrue { try proxy.admin("GET", "/ready").text.contains("draining") })
            return draining
        }

        @Test func `while it drains a reload is refused, and nobody waits to be told`() throws {
            let client = try proxy.connect(sending: get("/"))
            let connection = try upstream.accept()
            _ = try connection.request()
            let draining = try beginDraining(.seconds(10))
            let other = Settings(to: []).with { $0.listeners.append(.tcp(host: "::1", port: 0)) }
            #expect(throws: StartFailure.self) { try proxy.server.reload(other) }
            proxy.server.onReload { [proxy] _ in
                do {
                    try proxy.server.reload(other)
                    return nil
                } catch { return "\(error)" }
            }
            let answer = try proxy.admin("POST", "/reload", token)
            #expect(answer.status == 409 && answer.text.contains("the proxy is shutting down"))
            try connection.send(ok())
            #expect(try client.answer().text == "hello", "it did not wait for the reload either")
            try draining.value()
            #expect(proxy.server.ports.isEmpty)
        }

        @Test
        func `a reload that is under way when draining begins is finished, and then ended with the rest`()
            throws
        {
            let folder = try TemporaryFolder()
            let ca = try SlowFile(folder.path + "/ca.pem")
            let (clients, operators) = (folder.path + "/proxy.sock", folder.path + "/admin.sock")
            let reloading = try Aside { [proxy, port = upstream.port] in
                try proxy.server.reload(
                    Settings(to: [.secure(port, ca: ca.path)]).with {
                        $0.listeners.append(.unix(path: clients))
                        $0.admin.listeners = [.unix(path: operators)]
                    })
            }
            let reader = try ca.reader()
            let draining = try beginDraining(.zero)
            // Without waiting for the reload it would have ended long before.
            for _ in 0..<100 { #expect(try proxy.admin("GET", "/live").status == 200) }
            reader.give(try CertificateAuthority(commonName: "Test").pem)
            try reloading.value()
            try draining.value()
            #expect(proxy.server.ports.isEmpty && proxy.server.adminPorts.isEmpty)
            for path in [clients, operators] {
                #expect(throws: RawConnection.Failure.self) { try RawConnection.toPath(path) }
            }
        }

        @Test func `reloads and draining from many threads leave nothing behind`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/admin.sock"
            // Until it is refused, which one of the threads sees to.
            let roundsMax = 10_000
            let threads = try (0..<4).map { number in
                try Aside { [proxy, port = upstream.port] in
                    for round in 0..<roundsMax {
                        let settings = Settings(to: [.plain(port)]).with {
                            if round % 2 == 0 { $0.listeners.append(.tcp(host: "::1", port: 0)) }
                            if number % 2 == 0 { $0.admin.listeners = [.unix(path: path)] }
                        }
                        do { try proxy.server.reload(settings) } catch is StartFailure { return round }
                        if number == 3, round == 5 { proxy.stop() }
                    }
                    return roundsMax
                }
            }
            let rounds = try threads.map { try $0.value() }
            #expect(rounds[3] == 6 && rounds.allSatisfy { $0 < roundsMax }, "\(rounds)")
            #expect(proxy.server.ports.isEmpty && proxy.server.adminPorts.isEmpty)
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPath(path) }
        }

        @Test func `an operator's reload that moves the admin listener is answered`() throws {
            defer { proxy.stop() }
            let folder = try TemporaryFolder()
            let path = folder.path + "/admin.sock"
            proxy.server.onReload { [proxy] _ in
                do {
                    try proxy.server.reload(
                        Settings(to: []).with { $0.admin.listeners = [.unix(path: path)] })
                    return nil
                } catch { return "\(error)" }
            }
            #expect(try proxy.admin("POST", "/reload", token).status == 200)
            let connection = try RawConnection.toPath(path)
            try connection.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try connection.answer().status == 200)
        }
    }
}
