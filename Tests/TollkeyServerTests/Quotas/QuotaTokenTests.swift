import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Calls that the proxy makes by itself count like everybody's.
    struct QuotaTokenTests {
        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to:
                    "GET /tezpay/api/v1/tezpay/get-status?transaction_id=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        }

        private func settings(_ stage: CredentialStage, _ limit: String) throws -> Settings {
            let credentials = SandboxCredentials()
            return try stage.settings(
                .tezpay,
                """
                secrets: { client_id: "${env:I}", client_secret: "${env:S}" }
                categories: { logins: { match: "POST /api/v1/tezpay/authenticate", limit: \(limit) } }
                """, secrets: ["I": credentials.tezpayClientID, "S": credentials.tezpayClientSecret])
        }

        private func logins(_ stage: CredentialStage) -> Int {
            stage.sandbox.record.count(of: .login, to: .tezpay)
        }

        @Test func `a renewal beyond the limit waits, and callers are told when it goes on`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(settings(stage, "1/day"))
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                // Renewed after eleven hours, and over after twelve: the second login has to wait for a day.
                for _ in 0..<46 { proxy.pass(.seconds(900)) }
                #expect(try call(proxy).status == 200)
                for _ in 0..<8 { proxy.pass(.seconds(900)) }
                let answer = try call(proxy)
                try expectProblem(answer, 503, "credential-unavailable", mayHaveBeenProcessed: false)
                let seconds = try #require(Int(answer.value(of: "Retry-After") ?? ""))
                // As it was when the token died.
                #expect((1...12 * 3_600).contains(seconds), "\(seconds)")
                #expect(answer.text.contains("limit"), "\(answer.text)")
                #expect(logins(stage) == 1)
                for _ in 0..<60 { proxy.pass(.seconds(900)) }
                #expect(try call(proxy).status == 200)
                #expect(logins(stage) == 2)
            }
        }

        @Test func `an endpoint that fails is not called beyond the limit`() async throws {
            try await withCredentialStage { stage in
                stage.sandbox.arm(.serverError, on: .tezpay, count: nil, path: "/api/v1/tezpay/authenticate")
                let proxy = try stage.proxy(settings(stage, "5/hour"))
                defer { proxy.stop() }
                for _ in 0..<235 { proxy.pass(.seconds(15)) }
                #expect((4...5).contains(logins(stage)), "\(logins(stage))")
                stage.sandbox.disarm()
                for _ in 0..<120 { proxy.pass(.seconds(60)) }
                #expect(try call(proxy).status == 200)
            }
        }

        @Test func `a replay with another credential takes a permit of its own`() async throws {
            try await withCredentialStage { stage in
                let credentials = SandboxCredentials()
                let settings = try stage.settings(
                    .jpay,
                    """
                    secrets: { app_key: "${env:K}", app_secret: "${env:S}" }
                    categories: { reads: { match: "GET /payments/**", limit: 3/hour } }
                    """, secrets: ["K": credentials.jpayAppKey, "S": credentials.jpayAppSecret])
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let request =
                    "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                func sent() -> Int {
                    stage.sandbox.record.requests(of: .jpay).count { $0.target.hasPrefix("/api/v1/payments") }
                }
                stage.sandbox.revokeAccess(of: .jpay)
                #expect(try proxy.answer(to: request).status == 200)
                stage.sandbox.revokeAccess(of: .jpay)
                proxy.advance(by: .seconds(30))
                let before = sent()
                let second = try proxy.answer(to: request)
                // As many as the ledger has counted: three in all.
                #expect(sent() <= 3)
                if before == 1 {
                    #expect(second.status == 200 && sent() == 3)
                } else {
                    #expect(
                        second.status == 401 && sent() == 3,
                        "no permit for the replay: the provider's own answer")
                }
                #expect(try proxy.answer(to: request).status == 429)
                #expect(sent() == 3)
            }
        }
    }
}
