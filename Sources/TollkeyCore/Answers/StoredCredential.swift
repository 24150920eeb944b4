/// What is kept of an obtained credential from one run to the next.
package struct StoredCredential: Sendable, Equatable {
    package var token: Secret
    package var refreshToken: Secret?
    package var values: [String: Secret] = [:]
    /// The monotonic half holds only for the boot `bootID`.
    package var expires: Deadline
    package var refreshExpires: Deadline?
    /// Which boot of the machine it was obtained in; empty when that is not known.
    package var bootID: String
    /// Milliseconds since 1970.
    package var obtainedAt: Int64
    package var generation: Int
    /// Of what it was obtained with, in hexadecimal digits: another one makes it worthless.
    package var fingerprint: String
    /// A call that spends the refresh token has begun, and its outcome is not known.
    package var isSpending = false
    /// Which replica has begun it; empty where there are no others.
    package var spender = ""

    package init(
        token: Secret, expires: Deadline, bootID: String, obtainedAt: Int64, generation: Int,
        fingerprint: String
    ) {
        self.token = token
        self.expires = expires
        self.bootID = bootID
        self.obtainedAt = obtainedAt
        self.generation = generation
        self.fingerprint = fingerprint
    }

    /// From being obtained to `expires`.
    package var life: Duration {
        let (life, isOver) = expires.wall.subtractingReportingOverflow(obtainedAt)
        return .milliseconds(isOver ? .max : max(0, life))
    }

    /// When the token dies, by the clocks of this boot. A clock that went back over a reboot cannot say it, so that it
    /// counts as dead.
    package func expiry(at now: Moment, bootID: String) -> Deadline {
        rebased(expires, at: now, bootID: bootID) ?? Deadline(wall: now.wall, monotonic: now.monotonic)
    }

    /// When the refresh token dies; nil when nothing says it, or the clock cannot: then it is tried.
    package func refreshExpiry(at now: Moment, bootID: String) -> Deadline? {
        refreshExpires.flatMap { rebased($0, at: now, bootID: bootID) }
    }

    /// The monotonic clock began anew with the boot; the wall clock says what is left. Nil when it is before
    /// `obtainedAt`.
    private func rebased(_ deadline: Deadline, at now: Moment, bootID: String) -> Deadline? {
        if bootID == self.bootID, !bootID.isEmpty { return deadline }
        guard now.wall >= obtainedAt else { return nil }
        let (left, isOver) = deadline.wall.subtractingReportingOverflow(now.wall)
        let moved = now + .milliseconds(isOver ? .max : max(0, left))
        return Deadline(wall: deadline.wall, monotonic: moved.monotonic)
    }
}
