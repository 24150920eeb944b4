package import TollkeyCore

/// What a person's command writes into the audit trail, in that person's name.
package struct OperatorAudit: Sendable {
    package let actor: AuditActor
    /// nil when it cannot be opened, which was told.
    package let trail: AuditTrail?

    package init(actor: AuditActor, trail: AuditTrail?) {
        self.actor = actor
        self.trail = trail
    }

    /// One that is written before a command goes on.
    package static func trail(
        in store: StateStore, _ settings: AuditSettings, clock: Clock,
        complain: @escaping @Sendable (String) -> Void
    ) -> AuditTrail? {
        do throws(StateFailure) {
            return try AuditTrail(in: store, settings, clock: clock, complain: complain)
        } catch {
            complain("the audit trail cannot be written: \(error.description)")
            return nil
        }
    }
}

extension Operator {
    func note(
        _ kind: AuditEvent.Kind, _ outcome: AuditEvent.Outcome, _ credential: String, _ words: String = ""
    ) {
        guard let audit else { return }
        audit.trail?.record(
            AuditEvent(
                kind, outcome, provider: name, credential: credential, by: audit.actor, words: words))
    }

    func note(_ outcome: Renewal.Outcome, _ credential: CredentialSettings) {
        guard let audit else { return }
        audit.trail?.record(AuditEvent(outcome, of: credential.name, name, by: audit.actor))
    }

    /// Performs `body`; a failure is noted.
    func noting<Result>(
        _ kind: AuditEvent.Kind, _ credential: String, _ body: () throws(OperatorFailure) -> Result
    ) throws(OperatorFailure) -> Result {
        do throws(OperatorFailure) { return try body() } catch {
            note(kind, .failed, credential, error.description)
            throw error
        }
    }
}
