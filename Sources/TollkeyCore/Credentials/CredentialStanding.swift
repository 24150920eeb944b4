/// What a provider's calls can expect of its credentials now.
package enum CredentialStanding: Sendable, Equatable {
    /// There is one, until the snapshot's own end.
    case usable
    /// There is none, and one is being obtained.
    case coming
    /// There is none, and this is what callers are told.
    case missing(Failure)
}

/// What the token refresher has last published for one provider.
package struct CredentialPublication: Sendable {
    package var snapshot: CredentialSnapshot
    package var standing: CredentialStanding
    /// When what is missing is tried again; nil when that is not known, or a person is waited for.
    package var retry: Deadline?
    /// Refusals (401) of a generation, and of those before it, that cannot be helped for now.
    package var settledRefusals: Settled?

    package struct Settled: Sendable {
        package var generation: Int
        package var until: Deadline
        package init(generation: Int, until: Deadline) {
            self.generation = generation
            self.until = until
        }
    }

    package init(snapshot: CredentialSnapshot, standing: CredentialStanding) {
        self.snapshot = snapshot
        self.standing = standing
    }
}
