import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Piaxis' one-time passwords, as an application goes through them by itself.
    struct OneTimePasswordTests {
        private func post(_ proxy: Proxy, _ path: String, _ content: String, _ fields: String = "") throws
            -> Message
        {
            try proxy.answer(
                to: "POST /piaxis\(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)"
                    + "Content-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
            )
        }

        private func release(_ proxy: Proxy, _ escrow: String, _ fields: String = "") throws -> Message {
            try post(proxy, "/api/escrow/release", "{\"escrow_id\":\"\(escrow)\"}", fields)
        }

        private func verify(_ proxy: Proxy, _ asked: String) throws {
            let requested = try post(proxy, "/api/auth/request-otp", asked, "Accept-Encoding: gzip\r\n")
            #expect(requested.status == 200)
            let json = try JSONValue(requested.body)
            let id = try #require(json.value(at: [.member("otp_id")])?.text)
            let verified = try post(
                proxy, "/api/auth/verify-otp", "{\"otp_id\":\"\(id)\",\"otp_code\":\"123456\"}")
            #expect(verified.status == 200)
            #expect(verified.text.contains("verification_token"), "the provider's own answer, untouched")
        }

        private func settings(_ stage: CredentialStage) throws -> Settings {
            try stage.settings(
                .piaxis, "secrets: { api_key: \"${env:K}\" }",
                secrets: ["K": SandboxCredentials().piaxisAPIKey])
        }

        @Test func `a release goes through once its escrow is verified, and for that escrow alone`()
            async throws
        {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(settings(stage))
                defer { proxy.stop() }
                let refused = try release(proxy, "e1")
                #expect(refused.status == 403)
                #expect(refused.value(of: "tollkey-problem") == "otp-required")
                #expect(stage.sandbox.record.count(of: .piaxis) == 0, "the provider has not heard of it")
                try verify(
                    proxy, #"{"operation":"escrow_release","escrow_id":"e1","phone_number":"+256700000000"}"#)
                #expect(try release(proxy, "e1").status == 200)
                #expect(try release(proxy, "e2").value(of: "tollkey-problem") == "otp-required")
                #expect(try release(proxy, "e1", "X-Verification-Token: mine\r\n").status == 200)
                #expect(try post(proxy, "/api/escrow/create", "{}").value(of: "tollkey-problem") == nil)
                let other = stage.sandbox.record.requests(of: .piaxis).filter {
                    !$0.target.contains("release")
                }
                #expect(other.allSatisfy { $0.values(of: "x-verification-token") == [] })
                proxy.pass(.seconds(601))
                #expect(try release(proxy, "e1").value(of: "tollkey-problem") == "otp-required")
            }
        }

        @Test func `a verification that names no escrow serves any`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(settings(stage))
                defer { proxy.stop() }
                try verify(proxy, #"{"operation":"escrow_release"}"#)
                #expect(try release(proxy, "e1").status == 200)
                #expect(try release(proxy, "e2").status == 200)
            }
        }

        @Test func `a wrong code, or one for another operation, opens nothing`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(settings(stage))
                defer { proxy.stop() }
                let wrong = try post(
                    proxy, "/api/auth/verify-otp", #"{"otp_id":"otp_1","otp_code":"000000"}"#)
                #expect(wrong.status == 400)
                try verify(proxy, #"{"operation":"account_change"}"#)
                #expect(try release(proxy, "e1").value(of: "tollkey-problem") == "otp-required")
            }
        }

        @Test func `Tuku's token for each request is signed over its content, and anew for each`()
            async throws
        {
            var options = Options()
            options.tukuNeedsRequestToken = true
            try await withCredentialStage(options) { stage in
                let credentials = SandboxCredentials()
                let settings = try stage.settings(
                    .tuku,
                    "variant: signed\nsecrets: { api_key: \"${env:A}\", app_id: \"${env:B}\", secret_key: \"${env:C}\" }",
                    secrets: [
                        "A": credentials.tukuAPIKey, "B": credentials.tukuAppID,
                        "C": credentials.tukuSecretKey,
                    ])
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let client = try proxy.connect()
                for amount in 1...3 {
                    let content = "{\"amount\":\(amount)}"
                    let path = "/tuku/api/transactions/create"
                    try client.send(
                        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
                    )
                    let answer = try client.answer()
                    #expect(answer.status == 201, "\(answer.text)")
                    try client.send(
                        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + "c\r\n{\"amount\":7}\r\n0\r\n\r\n")
                    let chunked = try client.answer()
                    #expect(chunked.status == 201, "\(chunked.text)")
                    try client.send("GET /tuku/api/auth/validate-key HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    #expect(try client.answer().status == 200)
                    proxy.advance(by: .seconds(2))
                }
                let large = String(repeating: "x", count: 70_000)
                try client.send(
                    "POST /tuku/api/transactions/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n\(large)"
                )
                #expect(try client.answer().status == 413)
            }
        }
    }
}
