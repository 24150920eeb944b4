import FoundationEssentials
import Testing
import TollkeySandbox

extension EndToEnd {
    /// The five providers, where a credential's life needs more of them than a token.
    struct ShippedPlaysTests {
        // MARK: Piaxis

        private func approve(_ rig: SandboxRig, _ request: String) async throws -> String {
            let key = "api-key: \(rig.credentials.piaxisAPIKey)\r\n"
            let asked = try await rig.post(.piaxis, "/api/auth/request-otp", json: request, key)
            #expect(asked.status == 200 && asked.member("expires_in") == "300")
            let code = #"{"otp_id":"\#(asked.member("otp_id"))","otp_code":"123456"}"#
            let verified = try await rig.post(.piaxis, "/api/auth/verify-otp", json: code, key)
            #expect(verified.status == 200 && verified.member("expires_in") == "600")
            let again = try await rig.post(.piaxis, "/api/auth/verify-otp", json: code, key)
            #expect(again.status == 400 && again.member("code") == "INVALID_OTP")
            return verified.member("verification_token")
        }

        private func release(_ rig: SandboxRig, _ escrow: String, _ token: String?) async throws
            -> SandboxReply
        {
            let key = "api-key: \(rig.credentials.piaxisAPIKey)\r\n"
            let fields = key + (token.map { "X-Verification-Token: \($0)\r\n" } ?? "")
            return try await rig.post(
                .piaxis, "/api/escrow/release", json: #"{"escrow_id":"\#(escrow)"}"#, fields)
        }

        @Test func `a verification token opens its escrow and no other`() async throws {
            try await withRig { rig in
                let token = try await approve(rig, #"{"operation":"escrow_release","escrow_id":"e1"}"#)
                #expect(try await release(rig, "e1", token).status == 200)
                for (escrow, token) in [("e2", token), ("e1", "verify_none"), ("e1", nil)] {
                    let refused = try await release(rig, escrow, token)
                    #expect(refused.status == 403 && refused.member("code") == "OTP_REQUIRED")
                }
                let any = try await approve(rig, #"{"operation":"escrow_release"}"#)
                #expect(try await release(rig, "e2", any).status == 200)
                let other = try await approve(rig, #"{"operation":"bulk_disbursement","escrow_id":"e1"}"#)
                #expect(try await release(rig, "e1", other).status == 403)
                #expect(rig.sandbox.record.tokenCalls(of: .piaxis) == [.otpRequest: 3, .otpVerify: 6])
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a verification token that has expired is a violation`() async throws {
            try await withRig { rig in
                let token = try await approve(rig, #"{"operation":"escrow_release"}"#)
                rig.clock.advance(seconds: 599)
                #expect(try await release(rig, "e1", token).status == 200)
                rig.clock.advance(seconds: 2)
                #expect(try await release(rig, "e1", token).status == 403)
                #expect(rig.kinds == [.expiredCredential])
            }
        }

        @Test func `a code that nobody typed in time is worthless`() async throws {
            try await withRig { rig in
                let key = "api-key: \(rig.credentials.piaxisAPIKey)\r\n"
                let asked = try await rig.post(
                    .piaxis, "/api/auth/request-otp", json: #"{"operation":"escrow_release"}"#, key)
                rig.clock.advance(seconds: 300)
                let code = #"{"otp_id":"\#(asked.member("otp_id"))","otp_code":"123456"}"#
                #expect(try await rig.post(.piaxis, "/api/auth/verify-otp", json: code, key).status == 400)
            }
        }

        // MARK: Pixlpay

        @Test func `a dashboard token is made, used and taken back`() async throws {
            try await withRig { rig async throws in
                let old = rig.credentials.pixlpayToken
                func status(_ method: String, _ path: String, _ token: String) async throws -> Int {
                    try await rig.call(.pixlpay, method, path, bearer(token)).status
                }
                #expect(try await status("GET", "/orders", "pxl_next") == 401)
                #expect(rig.sandbox.add(token: "pxl_next", to: .pixlpay))
                #expect(!rig.sandbox.add(token: "pxl_next", to: .pixlpay))
                #expect(try await status("POST", "/orders", "pxl_next") == 201)
                #expect(rig.sandbox.revoke(token: old, of: .pixlpay))
                #expect(!rig.sandbox.revoke(token: old, of: .pixlpay))
                #expect(try await status("GET", "/orders", old) == 401)

                let path = "/tokens/pixlpay?token=pxl_few&scopes=orders:read+products:read"
                #expect(try await SandboxReply.control("POST", path, of: rig.sandbox).status == 204)
                #expect(try await status("GET", "/orders", "pxl_few") == 200)
                #expect(try await status("POST", "/orders", "pxl_few") == 403)
                #expect(try await SandboxReply.control("DELETE", path, of: rig.sandbox).status == 204)
                #expect(try await SandboxReply.control("DELETE", path, of: rig.sandbox).status == 400)
                #expect(try await status("GET", "/orders", "pxl_few") == 401)
                #expect(rig.sandbox.violations == [])
            }
        }

        // MARK: Tuku

        private func tuku(_ rig: SandboxRig, _ key: String, _ token: String? = nil) -> String {
            bearer(key) + "X-App-ID: \(rig.credentials.tukuAppID)\r\n"
                + (token.map { "X-Request-Token: \($0)\r\n" } ?? "")
        }

        @Test func `a regenerated key whose answer was lost has replaced the old one`() async throws {
            try await withRig { rig in
                let fields = tuku(rig, rig.credentials.tukuAPIKey)
                let path = "/api/apps/\(rig.credentials.tukuAppID)/regenerate-api-key"
                rig.sandbox.arm(.loseAnswer, on: .tuku, path: path)
                #expect(try await rig.call(.tuku, "POST", path, fields).status == 0)
                let probe = try await rig.call(.tuku, "GET", "/api/auth/validate-key", fields)
                #expect(probe.status == 401 && probe.member("status") == "invalid")
                let key = try #require(rig.sandbox.record.issued(by: .tuku).last)
                #expect(
                    try await rig.call(.tuku, "GET", "/api/auth/validate-key", tuku(rig, key)).status == 200)
                #expect(rig.sandbox.record.tokenCalls(of: .tuku) == [.regenerate: 1, .validate: 2])
            }
        }

        /// The content of every call below, and its SHA-256.
        private static let content = #"{"amount":1}"#
        private static let hash = "c2b11e657e12fd177359627ca89412018e2274d0873cfbfcf1fc50f685582e9e"
        private static let otherHash = "a2879a37ea1e0b8938f44d782c2ff3887f30554da489efc8634d658a95a1094d"
        /// Made by another program with the sandbox's key, except where it says otherwise.
        struct RequestToken {
            var algorithm = "HS256"
            var app = "app_sandbox_57e2"
            var time = "2023-11-14T22:13:20Z"
            var hash = ShippedPlaysTests.hash
            let signature: String

            var text: String {
                let head = #"{"alg":"\#(algorithm)","typ":"JWT"}"#
                let claims = #"{"appId":"\#(app)","timestamp":"\#(time)","hash":"\#(hash)"}"#
                return [head, claims].map(Self.spelled).joined(separator: ".") + "." + signature
            }

            private static func spelled(_ text: String) -> String {
                Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                    .replacing("=", with: "")
            }
        }
        private static let good = RequestToken(signature: "0T3G_eyjCj_QwPVt3LqxFh0_XGeVpbBFLrbwSfmkgLI")

        @Test(arguments: [
            (good, 201),
            (
                RequestToken(
                    time: "2023-11-15T01:13:20.5+03:00",
                    signature: "KTMqMobLr725E6-HywlwtNN4KtzIIY7QNGg4H5RIiSU"), 201
            ),
            (
                RequestToken(
                    time: "2023-11-14T22:12:20Z", signature: "nKiqF2FfC5GmxcLjrjxP5MU5SaUrFMQpqZnhLZbSZYk"),
                201
            ),
            (
                RequestToken(
                    time: "2023-11-14T22:12:19Z", signature: "_tas4OYkp6lm1LOE7DJklEDW_fxc7AyrFo4E8ORQ3Jk"),
                401
            ),
            (RequestToken(hash: otherHash, signature: "CXFwEyUSRve09TGp8nAvK0iGpyrfgL2lFKmKSZFdhos"), 401),
            (RequestToken(app: "x", signature: "gEcbYoQQ21H7wTrQsrt8drtmuX0YnXfgn7ptuUcp2BQ"), 401),
            // Signed with another key.
            (RequestToken(signature: "yQXhEoLjgRofUzouk9AwfaHEr3dWCFPNzKAdpcvGQWA"), 401),
            (RequestToken(algorithm: "none", signature: "smYjfdyoiCM71cKSiXrri1NKLmQaJHPF9-5nx3Pajc8"), 401),
            (RequestToken(signature: ""), 401),
        ])
        func `a request token is looked at closely`(_ token: RequestToken, _ status: Int) async throws {
            try await withRig { rig in
                let fields = tuku(rig, rig.credentials.tukuAPIKey, token.text)
                let answer = try await rig.call(
                    .tuku, "POST", "/api/transactions/create", fields, content: Self.content)
                #expect(answer.status == status, "\(answer.text)")
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a request token that comes again after its second is a violation`() async throws {
            try await withRig { rig async throws in
                let fields = tuku(rig, rig.credentials.tukuAPIKey, Self.good.text)
                func status() async throws -> Int {
                    try await rig.call(
                        .tuku, "POST", "/api/transactions/create", fields, content: Self.content
                    ).status
                }
                for _ in 0..<2 { #expect(try await status() == 201) }
                #expect(rig.sandbox.violations == [])
                rig.clock.advance(seconds: 2)
                #expect(try await status() == 401)
                #expect(rig.kinds == [.nonceReused])
            }
        }

        @Test func `a request token can be required`() async throws {
            var options = Options()
            options.tukuNeedsRequestToken = true
            try await withRig(options) { rig async throws in
                let path = "/api/transactions/create"
                let bare = tuku(rig, rig.credentials.tukuAPIKey)
                #expect(try await rig.call(.tuku, "POST", path, bare, content: Self.content).status == 401)
                #expect(rig.kinds == [.noCredential])
                let signed = tuku(rig, rig.credentials.tukuAPIKey, Self.good.text)
                #expect(try await rig.call(.tuku, "POST", path, signed, content: Self.content).status == 201)
            }
        }

        @Test func `content larger than what is kept of others is signed all the same`() async throws {
            try await withRig { rig in
                let content = String(repeating: "x", count: 100_000)
                let fields = tuku(rig, rig.credentials.tukuAPIKey, Self.good.text)
                let answer = try await rig.call(
                    .tuku, "POST", "/api/transactions/create", fields, content: content)
                #expect(answer.status == 401)
                #expect(answer.member("message") == "Request token does not match the content.")
            }
        }
    }
}
