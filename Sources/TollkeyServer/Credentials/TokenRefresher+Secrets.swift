import Logging
import Synchronization
import TollkeyCore

/// Secrets that change while the proxy runs.
extension TokenRefresher {
    /// Before new secrets that could not be tried are tried again.
    static let secretsRetryTime: Duration = .seconds(30)

    /// Looks whether there are new ones, one look at a time.
    func checkSecrets(_ name: String) {
        guard var keeper = keepers[name] else { return }
        keeper.secretsRetry = .never
        keeper.mustCheckSecretsAgain = keeper.isCheckingSecrets
        let isUnderWay = keeper.isCheckingSecrets
        keeper.isCheckingSecrets = true
        keepers[name] = keeper
        guard !isUnderWay else { return }
        var check = SecretsCheck(
            keeper: keeper, store: store, client: around.client, clock: around.clock)
        check.isCancelled = { [self] in isClosing.load(ordering: .relaxed) }
        let isTaken = errands.run { [self, check] in
            let outcome = check.perform()
            post { $0.secretsChecked(check.keeper.board, outcome) }
        }
        if !isTaken { secretsChecked(keeper.board, .unknown("the system has no thread to give")) }
    }

    private func secretsChecked(_ board: CredentialBoard, _ outcome: SecretsCheck.Outcome) {
        let name = board.provider.name
        guard var keeper = keepers[name], keeper.board === board else { return }
        keeper.isCheckingSecrets = false
        switch outcome {
        case .unchanged:
            keeper.stateFault = nil
            if keeper.isUntouched { keeper.take(keeper.secrets) }
        case .changed(let secrets, let wasProbed):
            keeper.stateFault = nil
            keeper.refused = nil
            // That was about those before.
            keeper.isRefused = false
            keeper.take(secrets)
            around.logger.notice(
                "secrets changed", metadata: ["provider": "\(name)", "probed": "\(wasProbed)"])
            let words = wasProbed ? "the provider takes the new ones" : "taken as they are, without a probe"
            note(AuditEvent(.secrets, provider: name, words: words))
        case .refused(let words, let secrets):
            keeper.refused = secrets
            around.logger.error(
                "changed secrets are not taken", metadata: ["provider": "\(name)", "reason": "\(words)"])
            note(AuditEvent(.secrets, .refused, provider: name, words: words))
        case .unknown(let words):
            keeper.secretsRetry = around.clock.now + Self.secretsRetryTime
            around.logger.warning(
                "changed secrets could not be tried", metadata: ["provider": "\(name)", "reason": "\(words)"])
            note(AuditEvent(.secrets, .failed, provider: name, words: words))
        }
        let isAgain = keeper.mustCheckSecretsAgain
        keeper.mustCheckSecretsAgain = false
        let isRefused = keeper.isRefused
        if !isAgain { keeper.isRefused = false }
        keepers[name] = keeper
        if case .changed = outcome {
            for index in keeper.lives.indices { handle(.secretsChanged, name, index) }
            publish(name)
        } else if keeper.lives.isEmpty, isRefused, !isAgain {
            settle(name)
        } else {
            publish(name)
        }
        if isAgain { checkSecrets(name) }
    }
}
