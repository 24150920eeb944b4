import Testing
import TollkeySandbox

extension EndToEnd {
    struct FaultTests {
        @Test(arguments: [
            ("nonsense", 200, "Content-Type", "text/html; charset=utf-8"),
            ("empty", 200, "Content-Length", "0"),
            ("hollow", 200, "Content-Length", "2"),
            ("huge=100000", 200, "Content-Length", "100000"),
            ("status=418", 418, "Content-Length", "14"),
            ("rate-limited=561600", 429, "Retry-After", "561600"),
            ("rate-limited-until=561600", 429, "Retry-After", "Tue, 21 Nov 2023 10:13:20 GMT"),
            ("unavailable=7", 503, "Retry-After", "7"),
            ("oauth-error", 400, "Cache-Control", "no-store"),
            ("oauth-error=invalid_client", 401, "WWW-Authenticate", "Basic realm=\"sandbox\""),
            ("unauthorized", 401, "Content-Type", "application/json"),
        ])
        func `a fault answers in the provider's place`(
            _ name: String, _ status: Int, _ header: String, _ value: String
        ) async throws {
            try await withRig { rig in
                let fault = try #require(Fault(name))
                rig.sandbox.arm(fault, on: .tezpay, path: "/api/v1/tezpay/authenticate")
                let answer = try await rig.logInToTezPay()
                #expect(answer.status == status)
                #expect(answer.header(header) == value)
                #expect(try await rig.logInToTezPay().status == 200)
                #expect(rig.sandbox.record.issued(by: .tezpay).count == 1)
            }
        }

        @Test(arguments: [
            "status", "status=199", "status=x", "oauth-error=no", "huge=-1", "lose", "nonsense=x",
        ])
        func `a fault that is none is not understood`(_ name: String) {
            #expect(Fault(name) == nil)
        }

        @Test func `a refusal by OAuth says which`() async throws {
            try await withRig { rig in
                rig.sandbox.arm(.oauthError(.invalidGrant), on: .tezpay)
                let answer = try await rig.logInToTezPay()
                #expect(answer.member("error") == "invalid_grant")
            }
        }

        @Test func `a redirect leads to another path of the same listener`() async throws {
            try await withRig { rig in
                rig.sandbox.arm(.redirect, on: .jpay)
                let answer = try await rig.logInToJPay()
                #expect(answer.status == 307)
                #expect(answer.header("Location") == rig.sandbox.url(of: .jpay) + "/sandbox/echo")
            }
        }

        @Test func `a fault without a count stays until it is disarmed`() async throws {
            try await withRig { rig async throws in
                rig.sandbox.arm(.empty, on: .jpay, count: nil, path: "/api/v1/auth/")
                for _ in 0..<3 { #expect(try await rig.logInToJPay().text == "") }
                rig.sandbox.disarm(.tezpay)
                #expect(try await rig.logInToJPay().text == "")
                rig.sandbox.disarm(.jpay)
                #expect(try await rig.logInToJPay().text != "")
                let path = "/faults/jpay?fault=status=503&count=always"
                #expect(try await SandboxReply.control("POST", path, of: rig.sandbox).status == 204)
                for _ in 0..<2 { #expect(try await rig.logInToJPay().status == 503) }
            }
        }
    }
}
