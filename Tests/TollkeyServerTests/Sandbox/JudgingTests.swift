import Testing
import TollkeySandbox

extension EndToEnd {
    /// What the sandbox holds against whoever calls it, and what not.
    struct JudgingTests {
        private let payments = "/payments/collections/checkouts"
        private let status = "/api/v1/tezpay/get-status?transaction_id=T1"

        @Test func `a token that has expired is a violation, and one in its last second is none`()
            async throws
        {
            try await withRig { rig in
                let token = try await rig.logInToTezPay().member("access_token")
                rig.clock.advance(seconds: 43_199)
                #expect(try await rig.call(.tezpay, "GET", status, bearer(token)).status == 200)
                rig.clock.advance(seconds: 1)
                #expect(try await rig.call(.tezpay, "GET", status, bearer(token)).status == 401)
                #expect(rig.sandbox.violations == [])
                rig.clock.advance(seconds: 1)
                #expect(try await rig.call(.tezpay, "GET", status, bearer(token)).status == 401)
                #expect(rig.kinds == [.expiredCredential])
                #expect(rig.sandbox.violations.allSatisfy { !$0.description.contains(token) })
            }
        }

        @Test func `an expired token is seen when a fault answers in the provider's place`() async throws {
            try await withRig { rig in
                let token = try await rig.logInToJPay().member("access")
                rig.clock.advance(seconds: 902)
                rig.sandbox.arm(.serverError, on: .jpay)
                #expect(try await rig.call(.jpay, "GET", payments, bearer(token)).status == 500)
                #expect(rig.kinds == [.expiredCredential])
            }
        }

        @Test func `a revoked token is refused and is no violation, even when its time has come`()
            async throws
        {
            try await withRig { rig in
                let token = try await rig.logInToJPay().member("access")
                rig.sandbox.revokeTokens(of: .jpay)
                #expect(try await rig.call(.jpay, "GET", payments, bearer(token)).status == 401)
                rig.clock.advance(seconds: 100_000)
                #expect(try await rig.call(.jpay, "GET", payments, bearer(token)).status == 401)
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a refresh token survives the revocation of access, and not that of everything`()
            async throws
        {
            try await withRig { rig in
                let first = try await rig.logInToJPay()
                rig.sandbox.revokeAccess(of: .jpay)
                #expect(
                    try await rig.call(.jpay, "GET", payments, bearer(first.member("access"))).status == 401)
                let renewal = #"{"refresh":"\#(first.member("refresh"))"}"#
                let second = try await rig.post(.jpay, "/auth/refresh", json: renewal)
                #expect(second.status == 200)
                rig.sandbox.revokeTokens(of: .jpay)
                let dead = #"{"refresh":"\#(second.member("refresh"))"}"#
                #expect(try await rig.post(.jpay, "/auth/refresh", json: dead).status == 401)
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a refresh token that comes a second time is a violation`() async throws {
            try await withRig { rig in
                let renewal = #"{"refresh":"\#(try await rig.logInToJPay().member("refresh"))"}"#
                let second = try await rig.post(.jpay, "/auth/refresh", json: renewal)
                #expect(second.status == 200)
                #expect(rig.sandbox.violations == [])
                #expect(try await rig.post(.jpay, "/auth/refresh", json: renewal).status == 401)
                #expect(rig.kinds == [.refreshSpentTwice])
                #expect(
                    try await rig.call(.jpay, "GET", payments, bearer(second.member("access"))).status == 200)
            }
        }

        @Test func `a refresh token whose answer was lost has been spent`() async throws {
            try await withRig { rig in
                let renewal = #"{"refresh":"\#(try await rig.logInToJPay().member("refresh"))"}"#
                rig.sandbox.arm(.loseAnswer, on: .jpay, path: "/api/v1/auth/refresh")
                let lost = try await rig.post(.jpay, "/auth/refresh", json: renewal)
                #expect(lost.status == 0 && lost.head == "")
                #expect(try await rig.post(.jpay, "/auth/refresh", json: renewal).status == 401)
                #expect(rig.kinds == [.refreshSpentTwice])
                #expect(rig.sandbox.record.issued(by: .jpay).count == 4)
            }
        }

        @Test func `a kind of violation can be switched off`() async throws {
            var options = Options()
            options.tolerated = [.refreshSpentTwice]
            try await withRig(options) { rig in
                let renewal = #"{"refresh":"\#(try await rig.logInToJPay().member("refresh"))"}"#
                for expected in [200, 401] {
                    #expect(
                        try await rig.post(.jpay, "/auth/refresh", json: renewal).status == expected)
                }
                #expect(rig.sandbox.violations == [])
                _ = try await rig.call(.jpay, "GET", payments)
                #expect(rig.kinds == [.noCredential])
            }
        }

        @Test(arguments: ["", "Authorization: Bearer\r\n", "Authorization:\r\n"])
        func `a call without anything in its credential is a violation`(_ fields: String) async throws {
            try await withRig { rig async throws in
                #expect(try await rig.call(.jpay, "GET", payments, fields).status == 401)
                #expect(rig.kinds == [.noCredential])
            }
        }

        @Test func `an authorization code that comes a second time is a violation`() async throws {
            try await withRig { rig in
                let id = rig.credentials.piaxisClientID
                let redirect = "http://127.0.0.1:1/callback"
                let query =
                    "merchant_id=\(id)&response_type=code&redirect_uri=\(redirect)&state=s1&scope=profile:read"
                let url = rig.sandbox.url(of: .piaxis) + "/api/authorize?" + query
                let location = try #require(rig.sandbox.visit(url))
                #expect(location.hasPrefix(redirect + "?code=") && location.hasSuffix("&state=s1"))
                let code = location.dropFirst(redirect.count + 6).prefix { $0 != "&" }
                let form =
                    "grant_type=authorization_code&code=\(code)&redirect_uri=\(redirect)&client_id=\(id)"
                let first = try await rig.post(.piaxis, "/api/oauth/token", form: form)
                #expect(first.status == 200 && first.member("expires_in") == "3600")
                #expect(try await rig.post(.piaxis, "/api/oauth/token", form: form).status == 400)
                #expect(rig.kinds == [.codeSpentTwice])
                let secrets = rig.sandbox.record.issued(by: .piaxis)
                #expect(
                    secrets == [String(code), first.member("access_token"), first.member("refresh_token")])
            }
        }

        @Test func `calls for tokens are counted by kind, whatever they are answered`() async throws {
            try await withRig { rig in
                _ = try await rig.logInToJPay()
                rig.sandbox.arm(.status(503), on: .jpay, count: nil)
                _ = try await rig.logInToJPay()
                _ = try await rig.post(.jpay, "/auth/refresh", json: "{}")
                _ = try await rig.call(.jpay, "GET", payments, bearer("x"))
                #expect(rig.sandbox.record.tokenCalls(of: .jpay) == [.login: 2, .refresh: 1])
                #expect(rig.sandbox.record.count(of: .login, to: .jpay) == 2)
                #expect(rig.sandbox.record.count(of: .login, to: .tezpay) == 0)
                try await rig.sandbox.record.reaches(2, of: .login, to: .jpay)
                let counts = try await SandboxReply.control("GET", "/counts?provider=jpay", of: rig.sandbox)
                #expect(counts.member("count") == "4")
                #expect(counts.member("login") == "2")
                #expect(counts.member("regenerate") == "0")
                rig.sandbox.record.clear()
                #expect(rig.sandbox.record.tokenCalls(of: .jpay) == [:])
            }
        }
    }
}
