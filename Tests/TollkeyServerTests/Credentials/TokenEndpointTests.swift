import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// An hour with a token endpoint that does not do its work: what callers see, and how often it is asked.
    struct TokenEndpointTests {
        private let endpoint = "/api/v1/tezpay/authenticate"

        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to:
                    "GET /tezpay/api/v1/tezpay/get-status?transaction_id=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        }

        /// Passes an hour; how many token calls were made.
        private func hour(_ proxy: Proxy, _ stage: CredentialStage) -> Int {
            let before = stage.sandbox.record.count(of: .login, to: .tezpay)
            for _ in 0..<240 { proxy.pass(.seconds(15)) }
            return stage.sandbox.record.count(of: .login, to: .tezpay) - before
        }

        struct Case: Sendable, CustomTestStringConvertible {
            let fault: Fault
            /// Of token calls in the first hour.
            let calls: ClosedRange<Int>
            /// In what callers are told.
            let words: String
            var testDescription: String { "\(fault)" }
        }

        @Test(arguments: [
            Case(fault: .serverError, calls: 15...60, words: "in trouble (500)"),
            Case(fault: .reset, calls: 15...60, words: "cannot be had"),
            Case(fault: .closeMidBody, calls: 15...60, words: "cannot be had"),
            Case(fault: .garbage, calls: 15...60, words: "cannot be had"),
            Case(fault: .nonsense, calls: 15...60, words: "cannot be had"),
            Case(fault: .empty, calls: 15...60, words: "cannot be had"),
            Case(fault: .hollow, calls: 15...60, words: "cannot be had"),
            Case(fault: .redirect, calls: 15...60, words: "cannot be had"),
            Case(fault: .rateLimited(seconds: 0), calls: 15...60, words: "limits token calls"),
            Case(fault: .unavailable(seconds: 1), calls: 15...60, words: "in trouble (503, unavailable)"),
            Case(fault: .rateLimited(seconds: 600), calls: 5...7, words: "limits token calls"),
            Case(fault: .rateLimited(seconds: 156 * 3_600), calls: 1...1, words: "limits token calls"),
            Case(fault: .unavailable(seconds: 900), calls: 3...5, words: "in trouble (503, unavailable)"),
            Case(fault: .oauthError(.invalidClient), calls: 2...5, words: "rejected the credentials"),
            Case(fault: .oauthError(.invalidGrant), calls: 2...5, words: "no longer accepts"),
            Case(fault: .unauthorized, calls: 2...5, words: "rejected the credentials"),
        ])
        func `an hour without a token: callers are told at once, and the endpoint is left alone`(
            _ one: Case
        ) async throws {
            try await withCredentialStage { stage in
                stage.sandbox.arm(one.fault, on: .tezpay, count: nil, path: endpoint)
                let proxy = try stage.proxy(stage.tezpay)
                defer { proxy.stop() }
                proxy.server.waitForCredentials()
                let first = stage.sandbox.record.count(of: .login, to: .tezpay)
                #expect(one.calls.contains(first + hour(proxy, stage)))
                for _ in 0..<3 {
                    let answer = try call(proxy)
                    #expect(answer.status == 503)
                    #expect(answer.value(of: "tollkey-problem") == "credential-unavailable")
                    #expect(Int(answer.value(of: "retry-after") ?? "") ?? 0 > 0)
                    #expect(answer.text.contains(one.words), "\(answer.text)")
                }
                #expect(stage.sandbox.record.requests(of: .tezpay).allSatisfy { $0.target == endpoint })
                // And it recovers by itself.
                stage.sandbox.disarm()
                for _ in 0..<1_500 where try call(proxy).status != 200 { proxy.pass(.seconds(60)) }
                #expect(try call(proxy).status == 200)
            }
        }

        @Test func `a token that lives is served through an hour of failures`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.tezpay)
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                stage.sandbox.arm(.serverError, on: .tezpay, count: nil, path: endpoint)
                proxy.pass(.seconds(11 * 3_600 + 1))
                let calls = hour(proxy, stage)
                #expect((10...60).contains(calls), "\(calls)")
                #expect(try call(proxy).status == 503, "its twelve hours are over")
                stage.sandbox.disarm()
                for _ in 0..<300 { proxy.pass(.seconds(1)) }
                #expect(try call(proxy).status == 200)
            }
        }

        @Test func `an endpoint that never answers is given up, and callers do not wait for it`() async throws
        {
            try await withCredentialStage { stage in
                stage.sandbox.arm(.stall, on: .tezpay, count: nil, path: endpoint)
                var settings = try stage.tezpay
                settings.providers[0].timeouts.whole = .milliseconds(30)
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                proxy.server.waitForCredentials()
                let answer = try call(proxy)
                #expect(answer.status == 503)
                #expect(answer.text.contains("tried again in"))
            }
        }

        @Test func `a wrong clock does not stop what the provider's own clock explains`() async throws {
            for step in [Duration.seconds(86_400), .seconds(-86_400)] {
                try await withCredentialStage { stage in
                    let proxy = try stage.proxy(stage.tezpay)
                    defer { proxy.stop() }
                    #expect(try call(proxy).status == 200)
                    // The machine's clock is stepped, and the provider's is not: the sandbox shares ours, so that
                    // it is stepped back at once by the test's own count.
                    stage.clock.step(by: step)
                    proxy.server.wake()
                    proxy.server.waitForCredentials()
                    #expect(try call(proxy).status == 200)
                    stage.clock.step(by: .zero - step)
                    proxy.server.wake()
                    proxy.server.waitForCredentials()
                    #expect(try call(proxy).status == 200)
                    #expect(stage.sandbox.record.count(of: .login, to: .tezpay) <= 3)
                }
            }
        }

        @Test func `a machine that slept over the expiry sends nothing that has died`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.tezpay)
                defer { proxy.stop() }
                #expect(try call(proxy).status == 200)
                for _ in 0..<5 {
                    // Nobody wakes the refresher: the call itself finds that the token has died.
                    stage.clock.advance(by: .seconds(86_400))
                    #expect(try call(proxy).status == 200)
                }
                #expect(stage.sandbox.record.count(of: .login, to: .tezpay) == 6)
            }
        }
    }
}
