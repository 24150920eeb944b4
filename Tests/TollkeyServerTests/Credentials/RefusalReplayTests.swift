import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What becomes of an answer that refuses the credential (RFC 9110 §15.5.2).
    struct RefusalReplayTests {
        private let path = "/jpay/payments/collections/checkouts"

        private func post(_ content: String, _ fields: String = "") -> String {
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)Content-Type: application/json\r\n"
                + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
        }

        private func logins(_ stage: CredentialStage) -> Int {
            stage.sandbox.record.tokenCalls(of: .jpay).values.reduce(0, +)
        }

        @Test func `a refused request is sent again with the next credential, content and all`() async throws
        {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                let client = try proxy.connect()
                for content in [
                    #"{"amount":1}"#, "{\"amount\":1,\"note\":\"\(String(repeating: "x", count: 40_000))\"}",
                ] {
                    try client.send(post(content))
                    #expect(try client.answer().status == 201)
                    stage.sandbox.revokeTokens(of: .jpay)
                    proxy.advance(by: .seconds(30))
                    try client.send(post(content))
                    #expect(try client.answer().status == 201)
                    #expect(
                        stage.sandbox.record.requests(of: .jpay).last?.bodyBytes == Int64(content.utf8.count))
                }
            }
        }

        @Test func `chunked content is held for a replay too`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                let request =
                    "POST \(path) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                    + "Content-Type: application/json\r\n\r\n5\r\n{\"amo\r\n7\r\nunt\":1}\r\n0\r\n\r\n"
                let client = try proxy.connect(sending: request)
                #expect(try client.answer().status == 201)
                stage.sandbox.revokeTokens(of: .jpay)
                try client.send(request)
                #expect(try client.answer().status == 201)
            }
        }

        @Test
        func `what is too large to be held gets the provider's own 401, and the next call a new credential`()
            async throws
        {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
                stage.sandbox.revokeTokens(of: .jpay)
                let large = "{\"amount\":1,\"note\":\"\(String(repeating: "x", count: 200_000))\"}"
                proxy.advance(by: .seconds(30))
                let refused = try proxy.connect(sending: post(large)).answer()
                #expect(refused.status == 401)
                #expect(refused.text.contains("Invalid or expired token"), "untouched")
                proxy.server.waitForCredentials()
                #expect(try proxy.connect(sending: post(large)).answer().status == 201)
            }
        }

        @Test func `when the new credential is refused too, that answer is relayed`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(stage.sandbox.arm(.unauthorized, on: .jpay, count: 6, path: "/api/v1/payments"))
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 401)
                let calls = stage.sandbox.record.requests(of: .jpay).filter { !$0.target.contains("/auth/") }
                #expect(calls.count == 2, "one replay")
                let before = logins(stage)
                for _ in 0..<4 {
                    #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 401)
                }
                #expect(logins(stage) <= before + 1, "no token call for every refusal")
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
            }
        }

        @Test func `what another process has brought is found when the one before it is refused`()
            async throws
        {
            try await withCredentialStage { stage in
                let settings = try stage.jpay
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
                // From here on a further refusal is left alone for some seconds.
                stage.sandbox.revokeAccess(of: .jpay)
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
                stage.sandbox.revokeAccess(of: .jpay)
                try renewBeside(stage, settings)
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
            }
        }

        /// What `tollkey refresh` does, but for the bell that tells the daemon.
        private func renewBeside(_ stage: CredentialStage, _ settings: Settings) throws {
            let client = try CallClient()
            defer { client.close() }
            let provider = settings.providers[0]
            let calls = ProviderCalls(
                provider: provider, secrets: provider.secrets, client: client, clock: stage.clock.clock)
            let store = try StateStore(directory: stage.state, keys: [])
            let renewal = Renewal(
                credential: provider.credentials[0], calls: calls, store: store, bootID: "this boot")
            guard case .obtained = renewal.perform(known: nil, isForced: true) else { throw NotRenewed() }
        }

        private struct NotRenewed: Error {}

        @Test func `403 renews nothing and is relayed`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(stage.sandbox.arm(.status(403), on: .jpay, count: 3, path: "/api/v1/payments"))
                for _ in 0..<3 {
                    #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 403)
                }
                #expect(logins(stage) == 1)
            }
        }

        @Test func `ten thousand callers on one dead token cause one token call`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                defer { proxy.stop() }
                #expect(try proxy.connect(sending: post(#"{"amount":1}"#)).answer().status == 201)
                let before = logins(stage)
                // Its refresh token lives: one refresh is all it takes.
                stage.sandbox.revokeAccess(of: .jpay)
                let clients = try (0..<500).map { _ in try proxy.connect() }
                for round in 0..<20 {
                    for client in clients { try client.send(get("", round: round)) }
                    for client in clients { #expect(try client.answer().status == 200) }
                }
                #expect(logins(stage) == before + 1)
            }
        }

        private func get(_ fields: String, round: Int) -> String {
            "GET \(path)?round=\(round) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n"
        }
    }
}
