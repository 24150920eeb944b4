import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Credentials that a daemon has not obtained itself, as its operator sees them.
    struct TakenOverTests {
        private func call(_ proxy: Proxy) throws -> Int {
            try proxy.answer(
                to:
                    "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            ).status
        }

        private func credential(_ proxy: Proxy) throws -> JSONValue {
            let provider = try proxy.status()["providers"]?.elements.first
            return try #require(provider?["credentials"]?.elements.first)
        }

        /// Obtained, adopted, failed.
        private func renewals(_ proxy: Proxy) throws -> [Double] {
            let counts = try credential(proxy)["renewals"]
            return ["obtained", "adopted", "failed"].compactMap { counts?[$0]?.number }
        }

        private func takeovers(_ stage: CredentialStage) -> Int {
            stage.log.lines.count {
                $0
                    == "info credential taken over from another process credential=access provider=jpay"
            }
        }

        @Test func `what a command has renewed is counted, and told in the log`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.jpay.administered
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try call(proxy) == 200)
                #expect(try renewals(proxy) == [1, 0, 0])
                #expect(try stage.desk(settings).refresh().isGood)
                #expect(try comesTrue { try renewals(proxy) == [1, 1, 0] })
                #expect(takeovers(stage) == 1)
                let last = try credential(proxy)["last_renewal"]
                #expect(last?["outcome"]?.text == "adopted" && last?["cause"]?.text == "asked")
                let name = "tollkey_credential_renewals_total{provider=\"jpay\",credential=\"access\""
                #expect(try proxy.metric(name + ",outcome=\"adopted\",cause=\"asked\"}") == 1)
            }
        }

        @Test func `a command that helps a daemon in trouble is counted too`() async throws {
            try await withCredentialStage { stage in
                stage.sandbox.arm(.serverError, on: .jpay, count: 1, path: "/api/v1/auth")
                let settings = try stage.jpay.administered
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                proxy.server.waitForCredentials()
                #expect(try renewals(proxy) == [0, 0, 1])
                #expect(try stage.desk(settings).refresh().isGood)
                #expect(try comesTrue { try renewals(proxy) == [0, 1, 1] })
                #expect(takeovers(stage) == 1)
                #expect(try call(proxy) == 200)
            }
        }

        @Test func `what was kept from before is told as such, and counts as nothing`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.jpay.administered
                let before = try stage.proxy(settings)
                #expect(try call(before) == 200)
                before.stop()
                stage.clock.advance(by: .seconds(100))
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                proxy.server.waitForCredentials()
                #expect(try renewals(proxy) == [0, 0, 0])
                #expect(takeovers(stage) == 0)
                let credential = try credential(proxy)
                #expect(credential["last_renewal"]?["words"]?.text == "before this process began")
                #expect(credential["last_renewal"]?["at"]?.text == credential["obtained"]?.text)
                #expect(credential["obtained"]?.text != nil)
            }
        }

        @Test func `one that comes while the daemon waits to renew it is counted once`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.jpay.administered
                #expect(try stage.desk(settings).refresh().isGood)
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try call(proxy) == 200)
                let store = try StateStore(directory: stage.state)
                let lock = try store.lock(.access("jpay"), timeout: .seconds(5))
                stage.clock.advance(by: .seconds(3_600))
                proxy.server.wake()
                #expect(try comesTrue { try credential(proxy)["state"]?.text == "obtaining" })
                // Another process, which has the lock, has obtained the next one.
                let record = try #require(try store.load(.access("jpay")))
                var stored = try StoredCredential(decoding: record.content)
                stored.generation += 1
                stored.obtainedAt = stage.clock.seconds * 1_000
                stored.expires = stage.clock.clock.now + .seconds(900)
                try store.save(stored.encode(), at: .access("jpay"))
                try store.ring()
                #expect(try comesTrue { try credential(proxy)["usable"]?.flag == true })
                lock.release()
                proxy.server.waitForCredentials()
                #expect(try renewals(proxy) == [0, 1, 0])
                #expect(takeovers(stage) == 1)
            }
        }
    }
}
