import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What is told of a credential that cannot be had.
    struct MissingCredentialTests {
        private let endpoint = "/api/v1/tezpay/authenticate"

        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to:
                    "GET /tezpay/api/v1/tezpay/get-status?transaction_id=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        }

        /// Lends a proxy before a token endpoint with this fault.
        private func withFault(_ fault: Fault, _ body: (Proxy) throws -> Void) async throws {
            try await withCredentialStage { stage in
                stage.sandbox.arm(fault, on: .tezpay, count: nil, path: endpoint)
                let proxy = try stage.proxy(stage.tezpay.administered)
                defer { proxy.stop() }
                proxy.server.waitForCredentials()
                try body(proxy)
            }
        }

        @Test func `callers are told the time that is left, not the time that there was`() async throws {
            try await withFault(.rateLimited(seconds: 600)) { proxy in
                for (passed, left) in [(0, 600), (100, 500), (499, 1)] as [(Int64, Int)] {
                    proxy.advance(by: .seconds(passed))
                    let answer = try call(proxy)
                    #expect(answer.status == 503)
                    #expect(answer.values(of: "Retry-After") == ["\(left)"])
                    #expect(answer.text.contains(" It is tried again in \(left) s."), "\(answer.text)")
                }
            }
        }

        @Test(arguments: [(Fault.unauthorized, "proxy"), (.serverError, "provider")])
        func `a login that is rejected is ours to mend, and the endpoint's trouble the provider's`(
            _ fault: Fault, _ side: String
        ) async throws {
            try await withFault(fault) { proxy in
                #expect(try call(proxy).value(of: "tollkey-problem") == "credential-unavailable")
                try proxy.settle()
                let status = try proxy.status()
                let problem = status["problems"]?.elements.first { $0["provider"]?.text == "tezpay" }
                #expect(problem?["kind"]?.text == "credential-unavailable")
                #expect(problem?["side"]?.text == side)
                let credential = status["providers"]?.elements.first?["credentials"]?.elements.first
                #expect(credential?["state"]?.text == "absent", "there was none yet that could expire")
            }
        }
    }
}
