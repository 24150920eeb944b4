import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Renewals whose process dies at each of the state's writes in turn. The sandbox fails the test by itself when a
    /// refresh token is spent twice.
    struct RenewalCrashTests {
        private func renewal(_ stage: CredentialStage, _ store: StateStore, _ client: CallClient) throws
            -> Renewal
        {
            let provider = try stage.jpay.providers[0]
            let calls = ProviderCalls(
                provider: provider, secrets: provider.secrets, client: client, clock: stage.clock.clock)
            return Renewal(
                credential: provider.credentials[0], calls: calls, store: store, bootID: "this boot")
        }

        private struct Stuck: Error { let outcome: Renewal.Outcome }

        /// Each loss has runs of its own: what is looked at after a crash goes on with the token, which is spent then.
        @Test(arguments: CrashingFileSystem.Loss.allCases)
        func `no refresh token is lost, and none is spent twice`(_ loss: CrashingFileSystem.Loss) async throws
        {
            try await withCredentialStage { stage in
                let client = try CallClient()
                defer { client.close() }
                let template = try StateFolder()
                _ = try template.open()
                let before = stage.sandbox.record.tokenCalls(of: .jpay)
                #expect(before.isEmpty)
                var wentOn = 0
                var loggedIn = 0
                let crashes = try CrashShow.run(losses: [loss], world: (), from: template) {
                    _, folder, fileSystem in
                    let store = try folder.open(fileSystem: fileSystem)
                    let renewal = try renewal(stage, store, client)
                    for _ in 0..<2 {
                        // What the state cannot take is not begun, and the crash shows itself as a failure.
                        if case .failed = renewal.perform(known: nil, isForced: true) { throw Crashed() }
                        if let kept = try? renewal.load(), !kept.isSaved { throw Crashed() }
                    }
                } check: { _, folder in
                    let store = try folder.open()
                    let renewal = try renewal(stage, store, client)
                    let kept = try renewal.load()
                    let outcome = renewal.perform(known: nil, isForced: true)
                    guard case .obtained(_, let how, _) = outcome else { throw Stuck(outcome: outcome) }
                    // Only where nobody knows whether it was spent is the kept one left alone.
                    let isUnknown = kept.map { $0.stored.isSpending } ?? true
                    #expect(how == (isUnknown ? .obtain : .refresh))
                    if how == .refresh { wentOn += 1 } else { loggedIn += 1 }
                }
                #expect(crashes >= 20)
                #expect(wentOn > 0 && loggedIn > 0)
            }
        }

        private struct Crashed: Error {}
    }
}
