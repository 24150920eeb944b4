import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct OTPFlowTests {
        private func release(_ escrow: String, _ proxy: Proxy) throws -> Message {
            let content = "{\"escrow_id\":\"\(escrow)\"}"
            return try proxy.answer(
                to: "POST /piaxis/api/escrow/release HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
            )
        }

        @Test func `a typed code opens the call for its escrow, and for no other, in a running proxy`()
            async throws
        {
            try await withCredentialStage { stage in
                let settings = try stage.piaxis
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try release("e1", proxy).value(of: "Tollkey-Problem") == "otp-required")

                let flow = try OTPFlow(stage.desk(settings), with: ["escrow_id": "e1"])
                var tries: [Int] = []
                let report = try flow.run { left in
                    tries.append(left)
                    return Secret(left == 3 ? "000000" : SandboxCredentials().piaxisOTPCode)
                }
                #expect(tries == [3, 2], "the first was refused")
                #expect(report.isGood)
                #expect(report.text.contains("Verified: escrow_release, good for 10 min, until 20"))
                #expect(report.text.contains("POST /api/escrow/release with escrow_id e1"))

                #expect(try comes(200) { try release("e1", proxy) })
                #expect(try release("e2", proxy).value(of: "Tollkey-Problem") == "otp-required")
            }
        }

        @Test func `what is verified without a daemon is there for the next one`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.piaxis
                let code = Secret(SandboxCredentials().piaxisOTPCode)
                for escrow in ["e1", "e2"] {
                    _ = try OTPFlow(stage.desk(settings), with: ["escrow_id": escrow]).run { _ in code }
                }
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try comes(200) { try release("e1", proxy) })
                #expect(try comes(200) { try release("e2", proxy) })
            }
        }

        @Test func `three wrong codes are enough`() async throws {
            try await withCredentialStage { stage in
                let flow = try OTPFlow(stage.desk(stage.piaxis), with: ["escrow_id": "e1"])
                let words = try complaint { _ = try flow.run { _ in Secret("000000") } }
                #expect(words == "The code was refused (400, INVALID_OTP). Ask for a new one.")
                #expect(stage.sandbox.record.count(of: .piaxis) == 4, "one request and three tries")
                #expect(
                    try complaint { _ = try flow.run { _ in nil } }?.hasPrefix("No code was typed") == true)
            }
        }

        @Test func `an input that nobody knows is told with those that are known`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.piaxis)
                #expect(
                    try complaint { _ = try OTPFlow(desk, with: ["escrow": "e1"]) }
                        == "The call for a code takes no 'escrow'; it takes escrow_id, phone_number.")
                #expect(
                    try complaint { _ = try OTPFlow(desk, operation: "payout") }
                        == "No call needs the operation 'payout'; there is escrow_release.")
                let tuku = try stage.desk(stage.tuku())
                #expect(try complaint { _ = try OTPFlow(tuku) }?.contains("no one-time passwords") == true)
            }
        }
    }
}
