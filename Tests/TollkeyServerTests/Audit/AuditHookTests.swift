import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What a daemon and commands write into the trail.
    struct AuditHookTests {
        /// `kind outcome provider/credential by actor`, the oldest first.
        private func trail(_ stage: CredentialStage) throws -> [String] {
            let store = try StateStore(directory: stage.state)
            let report = try AuditTrail(in: store) { _ in }.report(limit: 1_000)
            #expect(report.isIntact)
            return report.lines.compactMap { line in
                line.entry.map { entry in
                    let event = entry.event
                    return
                        "\(event.kind) \(event.outcome) \(event.provider)/\(event.credential) by \(event.actor.text)"
                }
            }
        }

        private func call(_ proxy: Proxy) throws -> Int {
            try proxy.answer(
                to:
                    "GET /jpay/payments/collections/checkouts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            ).status
        }

        @Test func `a daemon's renewals and a provider's refusals are there`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.jpay)
                #expect(try call(proxy) == 200)
                stage.sandbox.revokeTokens(of: .jpay)
                #expect(try call(proxy) == 200)
                proxy.stop()
                let found = try trail(stage)
                #expect(found.first == "obtain done jpay/access by daemon")
                #expect(found.contains("refuse refused jpay/access by daemon"))
                #expect(found.count { $0.hasPrefix("refuse") } == 1)
                #expect(found.last?.hasSuffix("done jpay/access by daemon") == true && found.count == 3)
            }
        }

        @Test func `a login that the token endpoint refuses is there once`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.settings(
                    .jpay, "secrets: { app_key: \"${env:K}\", app_secret: \"${env:S}\" }",
                    secrets: ["K": "wrong-key-canary", "S": "wrong-secret-canary"])
                let proxy = try stage.proxy(settings)
                for _ in 0..<3 { _ = try call(proxy) }
                proxy.stop()
                #expect(try trail(stage) == ["renew refused jpay/access by daemon"])
                #expect(stage.log.lines.allSatisfy { !$0.contains("canary") })
                for path in Files.all(in: stage.state) where Files.mode(path) & 0o777 == 0o600 {
                    let text = String(decoding: try Files.bytes(path), as: UTF8.self)
                    #expect(!text.contains("canary"), "\(path)")
                }
            }
        }

        @Test func `a command is there under its user, beside a running daemon`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.jpay
                let proxy = try stage.proxy(settings)
                #expect(try call(proxy) == 200)
                #expect(try stage.desk(settings).refresh().isGood)
                proxy.stop()
                let mine = try trail(stage).filter { !$0.hasSuffix("by daemon") }
                #expect(
                    mine.count == 1 && mine[0].hasSuffix("done jpay/access by \(AuditActor.process().text)"))
                #expect(AuditActor.process().text.hasPrefix("uid "))
            }
        }

        @Test func `a rotation is there with its stages, and so is showing the key`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku()
                let desk = try stage.desk(settings)
                #expect(try RotationFlow(desk).perform().report.isGood)
                guard case .secret(let key, _) = try RotationFlow(desk).kept() else {
                    Issue.record("nothing is kept")
                    return
                }
                let me = AuditActor.process().text
                #expect(
                    try trail(stage) == [
                        "rotate begun tuku/api_key by \(me)", "rotate done tuku/api_key by \(me)",
                        "show done tuku/api_key by \(me)",
                    ])
                let bytes = try Files.all(in: stage.state).filter { $0.contains("tollkey.db") }.flatMap(
                    Files.bytes)
                let text = key.reveal { String(decoding: $0, as: UTF8.self) }
                #expect(!String(decoding: bytes, as: UTF8.self).contains(text))
            }
        }

        @Test func `one-time passwords and what became of them are there`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.piaxis
                let code = Secret(SandboxCredentials().piaxisOTPCode)
                _ = try OTPFlow(stage.desk(settings), with: ["escrow_id": "e1"]).run { _ in code }
                _ = try complaint {
                    _ = try OTPFlow(stage.desk(settings), with: ["escrow_id": "e1"]).run { _ in nil }
                }
                let found = try trail(stage)
                #expect(
                    found.map { $0.prefix { $0 != "/" } } == [
                        "otp begun piaxis", "otp done piaxis", "otp begun piaxis", "otp failed piaxis",
                    ])
            }
        }

        @Test func `a state that was named has a trail also where nothing is obtained`() async throws {
            try await withCredentialStage { stage in
                let proxy = try stage.proxy(stage.tuku())
                proxy.server.audit?.record(AuditEvent(.start))
                proxy.stop()
                #expect(try trail(stage) == ["start done / by daemon"])
                #expect(stage.log.lines.contains { $0.contains("audit trail ends last=1:") })
            }
        }

        @Test func `without a place for a state there is no trail, and nothing is missed`() throws {
            let proxy = try Proxy(Settings(to: [.plain(RawUpstream().port)]))
            defer { proxy.stop() }
            #expect(proxy.server.audit == nil)
        }

        @Test func `a place that cannot be used is told, and nothing stops`() throws {
            let folder = try TemporaryFolder()
            let log = LogBook()
            let settings = Settings(to: [.plain(try RawUpstream().port)]).with {
                $0.state = folder.path + "/missing/state"
            }
            let proxy = try Proxy(settings, log: log)
            defer { proxy.stop() }
            #expect(proxy.server.audit == nil)
            #expect(log.lines.contains { $0.hasPrefix("error no audit trail is kept") })
        }
    }
}
