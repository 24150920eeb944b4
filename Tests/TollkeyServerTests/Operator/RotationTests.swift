import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct RotationTests {
        private static let path = "/api/apps/"

        private func pay(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to: "POST /tuku/api/transactions/create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"amount\":1}")
        }

        private func rotations(_ stage: CredentialStage) -> Int {
            stage.sandbox.record.requests(of: .tuku).count { $0.target.hasPrefix(Self.path) }
        }

        @Test func `the new key is kept, tried and shown, until another one is configured`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku()
                let desk = try stage.desk(settings)
                #expect(try RotationFlow(desk).kept() == .nothing)
                let outcome = try RotationFlow(desk).perform()
                #expect(outcome.report.isGood, "\(outcome.report.text)")
                #expect(outcome.report.text.contains("The provider takes the new one"))
                guard case .secret(let key, holds: true) = try RotationFlow(desk).kept() else {
                    Issue.record("nothing is kept")
                    return
                }
                let text = key.reveal { String(decoding: $0, as: UTF8.self) }
                #expect(text.hasPrefix("tuk_sandbox_"))
                #expect(!outcome.report.text.contains(text))

                let proxy = try stage.proxy(settings)
                #expect(try pay(proxy).status == 201, "with the old key in the configuration")
                proxy.stop()
                let changed = try stage.tuku(key: text)
                #expect(try RotationFlow(stage.desk(changed)).kept() == .secret(key, holds: false))
                #expect(try RotationFlow(stage.desk(changed)).perform().report.isGood)
                #expect(try RotationFlow(stage.desk(changed)).perform().report.isGood, "also twice in a row")
            }
        }

        @Test func `a rotation beside a proxy under calls fails none of them`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku()
                let desk = try stage.desk(settings)
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let calling = try Aside {
                    try (0..<60).map { _ in try pay(proxy).status }
                }
                #expect(try comes(201) { try pay(proxy) })
                #expect(try RotationFlow(desk).perform().report.isGood)
                #expect(try calling.value().allSatisfy { $0 == 201 })
                #expect(try pay(proxy).status == 201)
            }
        }

        @Test func `an answer that was lost with the new key in it stops all further rotation`() async throws
        {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.tuku())
                stage.sandbox.arm(.closeMidBody, on: .tuku, path: Self.path)
                let words = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(
                    words?.contains("The present one is dead (401): the new one was lost on its way.") == true
                )
                let again = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(again?.contains("its answer was lost") == true)
                #expect(again?.contains("dashboard") == true)
                #expect(rotations(stage) == 1)
                // Another key is configured: what was lost before is no longer of interest.
                let other = try stage.desk(stage.tuku(key: "another"))
                #expect(
                    try complaint { _ = try RotationFlow(other).perform() }?.contains("refused to make")
                        == true)
            }
        }

        @Test func `a call that never arrived is repeated by the next rotation`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.tuku())
                stage.sandbox.arm(.closeBeforeHead, on: .tuku, path: Self.path)
                let words = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(words?.contains("The present one works, so nothing seems to have changed.") == true)
                let outcome = try RotationFlow(desk).perform()
                #expect(outcome.report.isGood)
                #expect(outcome.report.text.contains("An earlier rotation was begun and changed nothing"))
            }
        }

        @Test func `a refusal leaves everything as it was`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.tuku())
                #expect(try RotationFlow(desk).perform().report.isGood)
                let kept = try RotationFlow(desk).kept()
                stage.sandbox.arm(.rateLimited(seconds: 5), on: .tuku, path: Self.path)
                let words = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(words == "The provider refused to make a new 'api_key' (429). Nothing was changed.")
                #expect(try RotationFlow(desk).kept() == kept)
            }
        }

        @Test func `an answer without the new key where it should be is kept whole`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.tuku("rotate: { read: elsewhere }"))
                let outcome = try RotationFlow(desk).perform()
                #expect(!outcome.report.isGood)
                #expect(outcome.report.text.contains("All of the answer is kept"))
                #expect(outcome.report.text.contains("The present one is dead (401)"))
                guard case .answer(let answer) = try RotationFlow(desk).kept() else {
                    Issue.record("the answer is not kept")
                    return
                }
                #expect(
                    answer.reveal { String(decoding: $0, as: UTF8.self) }.contains(
                        "\"newApiKey\":\"tuk_sandbox_"))
            }
        }

        @Test func `without a state that can be written nothing is called`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.tuku())
                try stage.exchangeStateKey()
                let words = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(
                    words?.hasPrefix("Nothing was changed: the state could not keep the new secret.") == true)
                #expect(stage.sandbox.record.count(of: .tuku) == 0)
            }
        }

        @Test func `a key that the state cannot take any more is handed out as the last resort`() async throws
        {
            let armed = Armed()
            var options = Options()
            options.observe = { if $0.method == "POST" { armed.fire() } }
            try await withCredentialStage(options) { stage in
                let desk = try stage.desk(stage.tuku())
                armed.arm { try? stage.exchangeStateKey() }
                let outcome = try RotationFlow(desk).perform()
                #expect(!outcome.report.isGood)
                #expect(outcome.report.text.contains("What follows is all there is of it"))
                let key = try #require(outcome.unsaved).reveal { String(decoding: $0, as: UTF8.self) }
                #expect(key.hasPrefix("tuk_sandbox_"))
                #expect(!outcome.report.text.contains(key))
            }
        }
    }
}
