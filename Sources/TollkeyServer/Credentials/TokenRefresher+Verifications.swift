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
        let clock = around.clock
        _ = errands.run {
            do throws(StateFailure) {
                try Self.keep(desk, of: name, in: store, at: clock.now)
            } catch {
                logger.warning(
                    "verification not kept", metadata: ["provider": "\(name)", "reason": "\(error)"])
            }
        }
    }

    /// Beside those that a command may be adding at the same time.
    private static func keep(
        _ desk: VerificationDesk, of name: String, in store: StateStore, at now: Moment
    ) throws(StateFailure) {
        for attempt in 1...savesMax {
            do throws(StateFailure) {
                let record = try store.load(.verifications(name))
                let kept = record.flatMap {
                    StoredVerifications(decoding: $0.content, lifetime: desk.settings.lifetime, at: now)
                }
                desk.add(kept?.tokens ?? [])
                try store.save(
                    StoredVerifications(desk.tokens).encode(), at: .verifications(name),
                    replacing: record?.version ?? 0)
                return
            } catch {
                guard error.kind == .superseded, attempt < savesMax else { throw error }
            }
        }
    }

    private static let savesMax = 5
}

extension RecordPlace {
    static func verifications(_ provider: String) -> RecordPlace {
        RecordPlace(kind: "verification", provider: provider, name: "tokens")
    }
}
