import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Secrets in files, which change while the proxy runs.
    struct GivenSecretTests {
        private func pixlpay(_ stage: CredentialStage, _ more: String = "") throws -> Settings {
            try stage.settings(
                .pixlpay, "secrets: { api_token: \"${file:\(stage.folder.path)/token}\" }\n\(more)")
        }

        private func call(_ proxy: Proxy, _ method: String = "GET", _ path: String = "/products") throws
            -> Message
        {
            try proxy.answer(
                to: "\(method) /pixlpay\(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        }

        @Test func `a new token is tried and taken, and the old one can be revoked`() async throws {
            try await withCredentialStage { stage in
                let credentials = SandboxCredentials()
                _ = try stage.folder.write(credentials.pixlpayToken + "\n", to: "token")
                let proxy = try stage.proxy(pixlpay(stage))
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                #expect(stage.sandbox.add(token: "pxl_the_next_one", to: .pixlpay))
                _ = try stage.folder.write("pxl_the_next_one\n", to: "token")
                // Revoked at once: whoever has not noticed the file yet gets a 401, looks, and goes on.
                stage.sandbox.revoke(token: credentials.pixlpayToken, of: .pixlpay)
                #expect(try call(proxy).status == 200)
                #expect(
                    stage.log.lines.contains { $0.contains("secrets changed") && $0.contains("probed=true") })
            }
        }

        @Test func `a token that does not work is not taken`() async throws {
            try await withCredentialStage { stage in
                _ = try stage.folder.write(SandboxCredentials().pixlpayToken, to: "token")
                let proxy = try stage.proxy(pixlpay(stage))
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                for wrong in ["pxl_wrong", "", "two\nlines"] {
                    _ = try stage.folder.write(wrong, to: "token")
                    stage.sandbox.arm(.unauthorized, on: .pixlpay, path: "/api/external/v1/orders")
                    // Makes it look at the file for certain.
                    #expect(try call(proxy, "GET", "/orders").status == 401)
                    #expect(try call(proxy).status == 200, "the old one still works")
                    proxy.pass(.seconds(60))
                }
            }
        }

        @Test func `what a token's scopes do not open is refused here`() async throws {
            try await withCredentialStage { stage in
                _ = try stage.folder.write(SandboxCredentials().pixlpayReadToken, to: "token")
                let proxy = try stage.proxy(pixlpay(stage, "scopes: [\"products:read\", \"orders:read\"]"))
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                let refused = try call(proxy, "DELETE", "/orders/7")
                #expect(refused.status == 403)
                #expect(refused.value(of: "tollkey-problem") == "not-allowed")
                #expect(stage.sandbox.record.count(of: .pixlpay) == 1)
            }
        }

        @Test func `a static secret that is refused costs the provider no second call`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.settings(
                    .piaxis, "secrets: { api_key: \"${env:K}\" }", secrets: ["K": "wrong"])
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let answer = try proxy.answer(
                    to: "GET /piaxis/sandbox/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(answer.status == 401)
                #expect(stage.sandbox.record.count(of: .piaxis) == 1)
            }
        }
    }
}
