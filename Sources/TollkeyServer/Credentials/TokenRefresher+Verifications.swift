import Logging
import TollkeyCore

/// Verification tokens that outlive the process, and those that another process has brought.
extension TokenRefresher {
    func readVerifications(of keeper: Keeper) {
        guard let desk = keeper.board.verification, let store else { return }
        do throws(StateFailure) {
            guard let record = try store.copy(.verifications(keeper.provider)),
                let kept = StoredVerifications(
                    decoding: record.content, lifetime: desk.settings.lifetime, at: around.clock.now)
            else { return }
            desk.add(kept.tokens)
        } catch {
            around.logger.warning(
                "verifications not read",
                metadata: ["provider": "\(keeper.provider.name)", "reason": "\(error)"])
        }
    }

    /// Writes them down; they are good without that, until the process ends.
    func keepVerifications(_ name: String) {
        guard let board = keepers[name]?.board, let desk = board.verification else { return }
        around.logger.info("one-time password verified", metadata: ["provider": "\(name)"])
        note(AuditEvent(.otp, provider: name, words: "verified by a call of the application's"))
        guard let store else { return }
        let logger = around.logger
        let clock = around.clock
        let place = RecordPlace.verifications(board.provider)
        _ = errands.run {
            do throws(StateFailure) {
                try Self.keep(desk, at: place, in: store, now: clock.now)
            } catch {
                logger.warning(
                    "verification not kept", metadata: ["provider": "\(name)", "reason": "\(error)"])
            }
        }
    }

    /// Beside those that a command may be adding at the same time.
    private static func keep(
        _ desk: VerificationDesk, at place: RecordPlace, in store: any RecordStore, now: Moment
    ) throws(StateFailure) {
        for attempt in 1...savesMax {
            do throws(StateFailure) {
                let record = try store.load(place)
                let kept = record.flatMap {
                    StoredVerifications(decoding: $0.content, lifetime: desk.settings.lifetime, at: now)
                }
                desk.add(kept?.tokens ?? [])
                try store.save(
                    StoredVerifications(desk.tokens).encode(), at: place,
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
    /// Those of another account are not for this one.
    static func verifications(_ provider: ProviderSettings) -> RecordPlace {
        let address = provider.upstream.authority + provider.upstream.basePath
        return RecordPlace(kind: "verification", provider: provider.name, name: String(address.prefix(200)))
    }
}
