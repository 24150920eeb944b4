import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Whole proxies with a state each, and one Redis server.
    struct ReplicaTests {
        private struct Fleet {
            let stage: CredentialStage
            let redis: RedisServer
            let folders: [StateFolder]
            let proxies: [Proxy]

            func call(_ proxy: Proxy) throws -> Int {
                try proxy.answer(
                    to:
                        "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                ).status
            }

            func callAll() throws { for proxy in proxies { #expect(try call(proxy) == 200) } }

            func pass(_ duration: Duration) {
                stage.clock.advance(by: duration)
                for proxy in proxies { proxy.server.wake() }
                for proxy in proxies { proxy.server.waitForCredentials() }
            }

            func count(_ call: TokenCall) -> Int { stage.sandbox.record.count(of: call, to: .jpay) }
        }

        private func withFleet(_ count: Int, _ body: (Fleet) async throws -> Void) async throws {
            try await withCredentialStage { stage in
                let redis = try RedisServer.start()
                defer { redis.kill() }
                try redis.settleRecords()
                let folders = try (0..<count).map { _ in try StateFolder() }
                let proxies = try folders.map { folder in
                    try stage.proxy(
                        stage.jpay.with {
                            $0.state = folder.path
                            $0.stateKeys = [StateFolder.someKey]
                            $0.shared = redis.settings
                        })
                }
                defer { for proxy in proxies { proxy.stop() } }
                try await body(Fleet(stage: stage, redis: redis, folders: folders, proxies: proxies))
            }
        }

        @Test func `three replicas log in once, and renew once in each period`() async throws {
            try await withFleet(3) { fleet in
                try fleet.callAll()
                #expect(fleet.count(.login) == 1)
                for period in 1...3 {
                    fleet.pass(.seconds(14 * 60))
                    try fleet.callAll()
                    #expect(fleet.count(.refresh) == period)
                }
                #expect(fleet.count(.login) == 1)
            }
        }

        @Test func `a token that is refused everywhere is renewed once`() async throws {
            try await withFleet(2) { fleet in
                try fleet.callAll()
                fleet.stage.sandbox.revokeAccess(of: .jpay)
                try fleet.callAll()
                #expect(fleet.count(.refresh) == 1)
                #expect(fleet.count(.login) == 1)
            }
        }

        @Test func `a rotated token survives that Redis loses everything`() async throws {
            try await withFleet(2) { fleet in
                try fleet.callAll()
                fleet.pass(.seconds(14 * 60))
                try fleet.callAll()
                #expect(fleet.count(.refresh) == 1)
                try fleet.redis.restart()
                let record = "EXISTS tollkey:record:credential:jpay:access"
                for _ in 0..<1_000 where try fleet.redis.ask(record) == ":0" { fleet.pass(.seconds(3)) }
                #expect(try fleet.redis.ask(record) == ":1")
                try fleet.redis.settleRecords()
                fleet.pass(.seconds(14 * 60))
                try fleet.callAll()
                #expect(fleet.count(.refresh) == 2)
                #expect(fleet.count(.login) == 1)
            }
        }

        @Test func `without Redis each one goes on with what it has, and then logs in by itself`()
            async throws
        {
            try await withFleet(2) { fleet in
                try fleet.callAll()
                fleet.redis.kill()
                fleet.pass(.seconds(60))
                try fleet.callAll()
                #expect(fleet.count(.login) == 1)
                fleet.pass(.seconds(13 * 60))
                try fleet.callAll()
                #expect(fleet.count(.login) == 3)
                #expect(fleet.count(.refresh) == 0)
                #expect(fleet.stage.log.lines.contains { $0.hasPrefix("error tokens are not shared") })
            }
        }

        @Test func `what a command does on one machine, the other replicas take over`() async throws {
            try await withFleet(2) { fleet in
                try fleet.callAll()
                let settings = try fleet.stage.jpay.with {
                    $0.state = fleet.folders[0].path
                    $0.stateKeys = [StateFolder.someKey]
                    $0.shared = fleet.redis.settings
                }
                let report = try fleet.stage.desk(settings).refresh()
                #expect(report.text.contains("with the refresh token"), "\(report.text)")
                fleet.stage.sandbox.record.clear()
                fleet.pass(.seconds(3))
                try fleet.callAll()
                #expect(fleet.stage.sandbox.record.tokenCalls(of: .jpay).isEmpty)
                #expect(
                    try fleet.stage.findings(settings).contains { $0.subject == "shared" && $0.mark == .ok })
            }
        }
    }
}
