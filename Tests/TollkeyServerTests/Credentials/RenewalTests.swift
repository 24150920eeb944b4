import Testing
import TollkeyCore
import TollkeySandbox

extension EndToEnd {
    struct RenewalTests {
        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to:
                    "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        }

        @Test func `the first call waits for the login and is answered`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                #expect(stage.sandbox.record.count(of: .jpay) == 2, "a login and a call")
            }
        }

        @Test func `a restart goes on with the token that was kept`() async throws {
            try await withCredentialStage { stage in
                for _ in 0..<3 {
                    let proxy = try stage.proxy(stage.jpay)
                    #expect(try call(proxy).status == 200)
                    proxy.stop()
                }
                #expect(stage.sandbox.record.count(of: .jpay) == 4, "one login, three calls")
            }
        }

        @Test func `a revoked token is renewed once for all, and every call is answered`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                stage.sandbox.revokeTokens(of: .jpay)
                let clients = try (0..<50).map { _ in
                    try proxy.connect(
                        sending: "POST /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\n"
                            + "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"amount\":3}")
                }
                for client in clients { #expect(try client.answer().status == 201) }
                let calls = stage.sandbox.record.requests(of: .jpay)
                let renewals = calls.filter { $0.target.hasPrefix("/api/v1/auth/") }
                #expect(renewals.count <= 3, "the login, the refresh that is refused with it, and a login")
            }
        }
    }
}
