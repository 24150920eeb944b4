import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct RotationTests {
        private static let path = "/api/apps/"
        private let token = ["Authorization: Bearer a-token-for-operators"]

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

        @Test func `rotations beside a proxy under calls fail none of them`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku()
                let desk = try stage.desk(settings)
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let calling = try Aside {
                    try (0..<120).map { _ in try pay(proxy).status }
                }
                #expect(try comes(201) { try pay(proxy) })
                for _ in 0..<4 {
                    #expect(try RotationFlow(desk).perform().report.isGood)
                    #expect(try pay(proxy).status == 201)
                }
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
            }
        }

        @Test func `a wrong key in the configuration does not cost the one that is kept`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku()
                #expect(try RotationFlow(stage.desk(settings)).perform().report.isGood)
                let kept = try RotationFlow(stage.desk(settings)).kept()
                let wrong = try stage.desk(stage.tuku(key: "another"))
                let words = try complaint { _ = try RotationFlow(wrong).perform() }
                #expect(words == "The provider refused to make a new 'api_key' (401). Nothing was changed.")
                #expect(try RotationFlow(stage.desk(settings)).kept() == kept)
                // As if the process had ended before it could undo anything.
                stage.sandbox.arm(.closeBeforeHead, on: .tuku, path: Self.path)
                _ = try complaint { _ = try RotationFlow(wrong).perform() }
                #expect(try RotationFlow(stage.desk(settings)).kept() == kept)
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                #expect(try comes(201) { try pay(proxy) })
                #expect(try RotationFlow(stage.desk(settings)).perform().report.isGood)
            }
        }

        @Test func `a daemon rotates what a file has now, and not what it had at the start`() async throws {
            try await withCredentialStage { stage in
                let path = try stage.folder.write(SandboxCredentials().tukuAPIKey, to: "key")
                let settings = {
                    try stage.settings(
                        .tuku, "secrets: { api_key: \"${file:\(path)}\", app_id: \"${env:A}\" }",
                        secrets: ["A": SandboxCredentials().tukuAppID])
                }
                let proxy = try stage.proxy(settings().administered)
                defer { proxy.stop() }
                #expect(try comes(201) { try pay(proxy) })
                #expect(try proxy.admin("POST", "/rotate/tuku", token).status == 200)
                guard case .secret(let key, holds: true) = try RotationFlow(stage.desk(settings())).kept()
                else {
                    Issue.record("nothing is kept")
                    return
                }
                _ = try stage.folder.write(key.reveal { String(decoding: $0, as: UTF8.self) }, to: "key")
                #expect(try proxy.admin("POST", "/rotate/tuku", token).status == 200)
                #expect(try comes(201) { try pay(proxy) })
                guard case .secret(let last, holds: true) = try RotationFlow(stage.desk(settings())).kept()
                else {
                    Issue.record("it stands for a key that the file has no more")
                    return
                }
                #expect(last != key)
            }
        }

        @Test func `a key that the state could not take is kept at the next try, and no other one made`()
            async throws
        {
            let armed = Armed()
            var options = Options()
            options.observe = { if $0.method == "POST" { armed.fire() } }
            try await withCredentialStage(options) { stage in
                let proxy = try stage.proxy(stage.tuku().administered)
                defer { proxy.stop() }
                let database = "\(stage.state)/tollkey.db"
                armed.arm { try? RawDatabase.run("ALTER TABLE record RENAME TO away", in: database) }
                let answer = try proxy.admin("POST", "/rotate/tuku", token)
                #expect(answer.status == 409)
                #expect(answer.text.contains("the state cannot keep it"))
                #expect(answer.text.contains("This process alone has it"))
                #expect(try proxy.admin("POST", "/rotate/tuku", token).status == 409)
                try RawDatabase.run("ALTER TABLE away RENAME TO record", in: database)
                #expect(try proxy.admin("POST", "/rotate/tuku", token).status == 200)
                #expect(rotations(stage) == 1)
                #expect(try comes(201) { try pay(proxy) })
                #expect(try proxy.admin("POST", "/rotate/tuku", token).status == 200)
                #expect(rotations(stage) == 2)
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
                // Also behind one that went well.
                #expect(try RotationFlow(stage.desk(stage.tuku())).perform().report.isGood)
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
                let again = try complaint { _ = try RotationFlow(desk).perform() }
                #expect(again?.contains("the new one was not found in its answer, which is kept") == true)
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
                #expect(outcome.report.text.contains("the state cannot keep it"))
                let key = try #require(outcome.unsaved?.secret).reveal { String(decoding: $0, as: UTF8.self) }
                #expect(key.hasPrefix("tuk_sandbox_"))
                #expect(!outcome.report.text.contains(key))
            }
        }
    }
}
