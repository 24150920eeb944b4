import Logging
import TollkeyCore

/// Verification tokens that outlive the process, and those that another process has brought.
extension TokenRefresher {
    func readVerifications(of keeper: Keeper) throws(StateFailure) {
        guard let desk = keeper.board.verification, let store,
            let record = try store.load(.verifications(keeper.provider.name)),
            let kept = StoredVerifications(
                decoding: record.content, lifetime: desk.settings.lifetime, at: around.clock.now)
        else { return }
        desk.add(kept.tokens)
    }

    /// Writes them down; they are good without that, until the process ends.
    func keepVerifications(_ name: String) {
        guard let board = keepers[name]?.board, let desk = board.verification else { return }
        around.logger.info("one-time password verified", metadata: ["provider": "\(name)"])
        guard let store else { return }
        let logger = around.logger
        _ = errands.run {
            do throws(StateFailure) {
                try store.save(StoredVerifications(desk.tokens).encode(), at: .verifications(name))
            } catch {
                logger.warning(
                    "verification not kept", metadata: ["provider": "\(name)", "reason": "\(error)"])
            }
        }
    }
}

extension RecordPlace {
    static func verifications(_ provider: String) -> RecordPlace {
        RecordPlace(kind: "verification", provider: provider, name: "tokens")
    }
}
