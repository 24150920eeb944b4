import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// A month of a provider's life, at full speed: the whole proxy against the sandbox, both on one clock. The sandbox
    /// fails the test by itself when a credential arrives that has expired.
    struct MonthTests {
        private static let days: Int64 = 30

        /// Passes the days in steps, with a call in each; how many token calls were made.
        private func live(
            days: Int64 = days, _ stage: CredentialStage, _ settings: Settings, of provider: Provider,
            path: String,
            step: Duration
        ) throws -> Int {
            // The client goes on with one connection, hours apart.
            let proxy = try stage.proxy(settings.with { $0.timeouts.idle = .seconds(86_400) })
            defer { proxy.stop() }
            let client = try proxy.connect()
            let request = "GET /\(provider.rawValue)\(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            var refused = 0
            for _ in 0..<(days * 86_400 / step.components.seconds) {
                try client.send(request)
                if try client.answer().status != 200 { refused += 1 }
                proxy.pass(step)
            }
            #expect(refused == 0)
            return stage.sandbox.record.tokenCalls(of: provider).values.reduce(0, +)
        }

        /// Within 1 % of what lifetimes require.
        private func expect(_ calls: Int, every seconds: Int64, in days: Int64 = days) {
            let required = Double(days * 86_400) / Double(seconds)
            #expect(
                (required * 0.99 - 1...required * 1.01 + 1).contains(Double(calls)), "\(calls) of \(required)"
            )
        }

        /// A week, which is a refresh token's life, of the 3 086 renewals that a month has: each is a TLS handshake.
        @Test func `JPay: an access token for fifteen minutes, renewed at fourteen`() async throws {
            try await withCredentialStage { stage in
                let calls = try live(
                    days: 8, stage, try stage.jpay, of: .jpay, path: "/payments/collections/checkouts",
                    step: .seconds(420))
                expect(calls, every: 840, in: 8)
                let logins = stage.sandbox.record.count(of: .login, to: .jpay)
                #expect(logins == 1, "each refresh token was spent in its week")
            }
        }

        @Test func `TezPay: a login for twelve hours, renewed at eleven`() async throws {
            try await withCredentialStage { stage in
                let calls = try live(
                    stage, try stage.tezpay, of: .tezpay,
                    path: "/api/v1/tezpay/get-status?transaction_id=1", step: .seconds(3_600))
                expect(calls, every: 39_600)
            }
        }

        @Test(arguments: [Provider.pixlpay, .tuku, .piaxis])
        func `what is given lives without a single token call`(_ provider: Provider) async throws {
            try await withCredentialStage { stage in
                let credentials = SandboxCredentials()
                let (lines, secrets, path): (String, [String: String], String) =
                    switch provider {
                    case .pixlpay:
                        ("secrets: { api_token: \"${env:A}\" }", ["A": credentials.pixlpayToken], "/products")
                    case .tuku:
                        (
                            "secrets: { api_key: \"${env:A}\", app_id: \"${env:B}\" }",
                            ["A": credentials.tukuAPIKey, "B": credentials.tukuAppID], "/sandbox/echo"
                        )
                    default:
                        (
                            "secrets: { api_key: \"${env:A}\" }", ["A": credentials.piaxisAPIKey],
                            "/sandbox/echo"
                        )
                    }
                let settings = try stage.settings(provider, lines, secrets: secrets)
                #expect(try live(stage, settings, of: provider, path: path, step: .seconds(3_600)) == 0)
            }
        }

        @Test func `a life of an hour: jitter spreads renewals and costs less than a hundredth`() {
            // The machine alone, to the millisecond: also what the steps above hide.
            for (life, margin, required) in [(3_600, nil, 3_240), (900, 60, 840), (43_200, 3_600, 39_600)]
                as [(Int64, Int64?, Double)]
            {
                var machine = CredentialLife(renewBefore: margin.map { .seconds($0) })
                var now = Moment(wall: 1_800_000_000_000, monotonic: 0)
                let end = now.wall + Self.days * 86_400_000
                var calls = 0
                var unserved = 0
                var dice = SystemRandomNumberGenerator()
                while now.wall < end {
                    if machine.handle(.looked, at: now, jitter: 0).calls {
                        calls += 1
                        if calls > 1, machine.held(at: now) == nil { unserved += 1 }
                        now.wall += 200
                        now.monotonic += 200_000_000
                        _ = machine.handle(
                            .obtained(
                                version: Int64(calls), expires: now + .seconds(life), life: .seconds(life)),
                            at: now,
                            jitter: .random(in: 0..<1, using: &dice))
                    }
                    let span = machine.due.remaining(at: now) + .milliseconds(1)
                    now.wall += span.milliseconds
                    now.monotonic += span.milliseconds * 1_000_000
                }
                #expect(unserved == 0)
                let ideal = Double(Self.days * 86_400) / required
                #expect((ideal - 1...ideal * 1.01 + 1).contains(Double(calls)), "\(calls) of \(ideal)")
            }
        }
    }
}
