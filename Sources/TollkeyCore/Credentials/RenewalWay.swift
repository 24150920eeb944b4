/// How the next credential is had.
package enum RenewalWay: Sendable, Equatable {
    /// By spending this refresh token.
    case refresh(Secret)
    /// By a call that needs nobody.
    case obtain
    /// By a person, and nobody else.
    case login
    /// By the replica that has begun to spend the refresh token, or by a person.
    case elsewhere

    /// `kept` is what was obtained last; nil when there is nothing, or not for this account. `bootID` is that of the
    /// machine's present boot, `replica` who asks; empty where there are no others.
    package static func choose(
        _ credential: CredentialSettings, kept: StoredCredential?, at now: Moment, bootID: String,
        replica: String = ""
    ) -> RenewalWay {
        guard credential.refresh != nil, let kept, let token = kept.refreshToken,
            !(kept.refreshExpiry(at: now, bootID: bootID)?.isReached(at: now) ?? false)
        else { return credential.obtain == nil ? .login : .obtain }
        // It may have been spent by a call whose outcome nobody knows. Spending it twice can cost the account all its
        // tokens (RFC 9700 §4.14.2); where only a person could go on otherwise, there is nothing to lose.
        if kept.isSpending, credential.obtain != nil { return .obtain }
        // The other one may only be slow, and come back with what it has brought.
        if kept.isSpending, !replica.isEmpty, kept.spender != replica { return .elsewhere }
        return .refresh(token)
    }
}
