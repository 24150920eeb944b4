import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// A day of calls to Piaxis, which counts for itself, and more of them than it takes: none of them may be too many.
    struct QuotaDayTests {
        private static let calls = [
            ("GET", "/api/payments/p1"), ("POST", "/api/payments/create"), ("POST", "/api/escrow/create"),
        ]

        @Test func `in a day with restarts the provider never has to say no`() async throws {
            var options = Options()
            options.limits.retrieval = 40
            options.limits.paymentCreation = 20
            options.limits.escrow = 10
            try await withCredentialStage(options) { stage in
                let settings = try stage.settings(
                    .piaxis,
                    """
                    secrets: { api_key: "${env:K}" }
                    categories:
                      reads: { limit: 40/hour }
                      payments: { limit: 20/hour }
                      escrow: { limit: 10/hour }
                    """, secrets: ["K": SandboxCredentials().piaxisAPIKey])
                var passed = 0
                var refused = 0
                for quarter in 0..<96 {
                    let proxy = try stage.proxy(settings)
                    let client = try proxy.connect()
                    for round in 0..<30 {
                        let (method, path) = Self.calls[round % 3]
                        let content = method == "POST" ? "{}" : ""
                        try client.send(
                            "\(method) /piaxis\(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)")
                        let answer = try client.answer()
                        if answer.values(of: "Tollkey-Problem").isEmpty {
                            #expect(answer.status != 429, "quarter \(quarter)")
                            passed += 1
                        } else {
                            #expect(answer.status == 429)
                            refused += 1
                        }
                    }
                    proxy.stop()
                    stage.clock.advance(by: .seconds(900))
                }
                // Offered were 10 of each in a quarter of an hour, 40 in an hour.
                #expect(passed >= 24 * 69 && refused >= 24 * 40, "\(passed) and \(refused)")
            }
        }
    }
}
