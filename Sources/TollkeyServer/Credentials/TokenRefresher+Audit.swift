import TollkeyCore

/// What the token refresher does, in the audit trail.
extension TokenRefresher {
    func recordRefusal(_ provider: String, _ credential: String) {
        note(
            AuditEvent(
                .refuse, .refused, provider: provider, credential: credential,
                words: "the provider refused it on a call"))
    }
}

extension AuditEvent {
    /// What came of a renewal.
    init(
        _ outcome: Renewal.Outcome, of credential: String, _ provider: String,
        by actor: AuditActor = .daemon
    ) {
        switch outcome {
        case .obtained(let kept, let how, let notes):
            let kind: Kind =
                switch how {
                case .obtain: .obtain
                case .refresh: .renew
                case .login: .login
                }
            let words = ["good until \(TimeFormat.rfc3339.text(kept.stored.expires.wall))"] + notes
            self.init(
                kind, kept.isSaved ? .done : .failed, provider: provider, credential: credential, by: actor,
                words: words.joined(separator: "; "))
        case .adopted(let kept):
            self.init(
                .adopt, provider: provider, credential: credential, by: actor,
                words:
                    "another process has obtained it; good until \(TimeFormat.rfc3339.text(kept.stored.expires.wall))"
            )
        case .failed(let fault):
            let outcome: Outcome =
                switch fault {
                case .rejected: .refused
                case .unavailable, .limited, .needsPerson: .failed
                }
            self.init(
                .renew, outcome, provider: provider, credential: credential, by: actor, words: fault.words)
        }
    }
}
