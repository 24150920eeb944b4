import TollkeyCore

/// How one obtained credential stands, for an operator. Holds no secret.
struct CredentialReport: Sendable {
    let name: String
    let state: CredentialLife.State
    let trouble: CredentialLife.Trouble?
    /// Milliseconds since 1970; nil when none is held.
    let obtained: Int64?
    let life: Duration?
    let renewals: RenewalTally

    init(_ life: Keeper.Life, _ renewals: RenewalTally) {
        name = life.settings.name
        state = life.machine.state
        trouble = life.machine.trouble
        obtained = life.kept?.stored.obtainedAt
        self.life = life.kept?.stored.life
        self.renewals = renewals
    }
}

/// What became of the attempts to obtain or renew one credential, in this process.
struct RenewalTally: Sendable {
    enum Outcome: String, CaseIterable { case obtained, adopted, failed }

    struct Last: Sendable {
        let time: Int64
        let outcome: Outcome
        let cause: CredentialLife.Cause
        let words: String
    }

    struct Key: Hashable {
        let outcome: Outcome
        let cause: CredentialLife.Cause
    }

    private(set) var counts: [Key: UInt64] = [:]
    private(set) var last: Last?

    /// `time`: milliseconds since 1970.
    mutating func note(_ renewal: Renewal.Outcome, _ cause: CredentialLife.Cause, at time: Int64) {
        let (outcome, words): (Outcome, String) =
            switch renewal {
            case .obtained(_, let how, _): (.obtained, how.rawValue)
            case .adopted: (.adopted, "")
            case .failed(let fault): (.failed, fault.words)
            }
        counts[Key(outcome: outcome, cause: cause), default: 0] &+= 1
        last = Last(time: time, outcome: outcome, cause: cause, words: words)
    }

    /// One that was obtained before this process began.
    mutating func recall(_ time: Int64) {
        last = last ?? Last(time: time, outcome: .obtained, cause: .due, words: "before this process began")
    }

    func count(_ outcome: Outcome) -> UInt64 {
        counts.reduce(0) { $1.key.outcome == outcome ? $0 &+ $1.value : $0 }
    }
}
