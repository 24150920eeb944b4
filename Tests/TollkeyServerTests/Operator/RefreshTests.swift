import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct RefreshTests {
        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to:
                    "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        }

        private func tokenCalls(_ stage: CredentialStage) -> Int {
            stage.sandbox.record.requests(of: .jpay).count { $0.target.hasPrefix("/api/v1/auth/") }
        }

        @Test func `a running proxy goes on with what a command has renewed, without a call of its own`()
            async throws
        {
            try await withCredentialStage { stage in
                let settings = try stage.jpay
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                stage.sandbox.revokeTokens(of: .jpay)
                let report = try stage.desk(settings).refresh()
                #expect(report.isGood, "\(report.text)")
                #expect(
                    report.text.contains(
                        "jpay: 'access' was obtained by logging in, good for 15 min, until 20"))
                let before = tokenCalls(stage)
                #expect(try call(proxy).status == 200)
                #expect(tokenCalls(stage) == before)
            }
        }

        @Test func `works without a daemon, and spends the refresh token that it kept`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.jpay)
                #expect(try desk.refresh().text.contains("by logging in"))
                #expect(try desk.refresh("access").text.contains("with the refresh token"))
                #expect(
                    try complaint { _ = try desk.refresh("acess") }
                        == "jpay has no credential 'acess'; there is access.")
            }
        }

        @Test func `says why a login is refused, and no secret`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.settings(
                    .jpay, "secrets: { app_key: \"${env:K}\", app_secret: \"${env:S}\" }",
                    secrets: ["K": "wrong-key", "S": "wrong-secret"])
                let report = try stage.desk(settings).refresh()
                #expect(!report.isGood)
                #expect(report.text.contains("jpay: 'access' was not obtained: the provider rejected"))
                #expect(!report.text.contains("wrong-"))
            }
        }

        @Test func `a given secret is not refreshed`() async throws {
            try await withCredentialStage { stage in
                let report = try stage.desk(stage.piaxis).refresh()
                #expect(report.isGood)
                #expect(report.text.contains("read again by the daemon when the file changes"))
            }
        }

        @Test func `a credential that needs a person names the command`() async throws {
            try await withCredentialStage { stage in
                let report = try stage.desk(stage.piaxisOAuth).refresh()
                #expect(report.text.contains("tollkey login piaxis"))
                #expect(!report.isGood)
            }
        }
    }
}
