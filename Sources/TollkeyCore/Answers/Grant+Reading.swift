extension Grant {
    /// Reads the answer to a token call that was sent at `asked`.
    ///
    /// All that says when the token dies counts, and the earliest end wins: what `settings` name, a JWT's own `exp` and
    /// `exp` - `iat`, and `lifetime` as the most that is believed. Lengths of time count from `asked`; dates are held
    /// against the answer's `Date`, without one against `asked`. Where nothing readable says it, `lifetime` is the life
    /// or, without one, `CredentialSettings.lifetimeAssumed`.
    ///
    /// - Parameter kept: further values held before, for those that this answer does not repeat.
    /// - Parameter wasRefresh: whether the call spent a refresh token.
    package static func read(
        _ answer: TokenAnswer, _ settings: ReadSettings, lifetime: Duration?, refreshLifetime: Duration?,
        asked: Moment, kept: [String: Secret] = [:], wasRefresh: Bool = false
    ) throws(GrantFault) -> Grant {
        guard answer.isSuccess else { throw GrantFault(answer, wasRefresh: wasRefresh, asked: asked) }
        let reading = AnswerReading(answer)
        let clock = AnswerTime(answer, asked: asked)
        let token: Secret
        do {
            token = try reading.token(at: settings.token)
        } catch {
            // Some providers refuse with a 200 and an error code.
            if let refusal = TokenRefusal(inSuccess: reading, wasRefresh: wasRefresh) {
                throw .refused(refusal)
            }
            throw .unusable(error)
        }
        var notes: [GrantNote] = []
        if let ahead = clock.ahead, ahead.isBeyond(GrantNote.clockDifferenceMax) {
            notes.append(.clockAhead(ahead))
        }
        let span = Lifespan(of: token, settings.expiry, in: reading, clock: clock)
        let life = Self.life(span, atMost: lifetime, &notes)
        guard life > .zero else { throw .alreadyExpired(clockAhead: clock.ahead) }
        var grant = Grant(token: token, expires: asked + life, life: life)
        do {
            grant.values = try Self.values(settings.values, in: reading, kept: kept)
        } catch {
            throw .unusable(error)
        }
        grant.readRefreshToken(reading, settings, lifetime: refreshLifetime, asked, clock, &notes)
        grant.notes = notes
        return grant
    }

    private static func life(
        _ span: Lifespan, atMost lifetime: Duration?, _ notes: inout [GrantNote]
    ) -> Duration {
        if span.hasUnreadable { notes.append(.expiryUnreadable) }
        let most = min(lifetime ?? lifeMax, lifeMax)
        guard let said = span.milliseconds else {
            if lifetime != nil { return most }
            notes.append(.lifetimeAssumed(CredentialSettings.lifetimeAssumed))
            return CredentialSettings.lifetimeAssumed
        }
        if lifetime == nil, said > most.milliseconds { notes.append(.lifeCapped) }
        return min(.milliseconds(said), most)
    }

    private static func values(
        _ settings: [ReadSettings.Value], in reading: AnswerReading, kept: [String: Secret]
    ) throws(AnswerFlaw) -> [String: Secret] {
        var values: [String: Secret] = [:]
        var bytes = 0
        for setting in settings {
            let found: Secret?
            do { found = try reading.companion(at: setting.place) } catch { throw .value(setting.name) }
            guard let value = found ?? kept[setting.name] else { throw .value(setting.name) }
            bytes += value.reveal(\.count)
            guard bytes <= valuesMax else { throw .valuesTooLong }
            values[setting.name] = value
        }
        return values
    }

    /// A refresh token that seems dead on arrival is kept all the same: some providers write 0 for "no end", and to
    /// try it costs one call, while to lose it may cost a person's login.
    private mutating func readRefreshToken(
        _ reading: AnswerReading, _ settings: ReadSettings, lifetime: Duration?, _ asked: Moment,
        _ clock: AnswerTime, _ notes: inout [GrantNote]
    ) {
        guard let place = settings.refreshToken, let value = reading.value(at: place) else { return }
        if case .text(let text) = value, text.isEmpty { return }
        guard let token = try? reading.token(at: place) else {
            notes.append(.refreshTokenUnusable)
            return
        }
        refreshToken = token
        let span = Lifespan(of: token, settings.refreshExpiry, in: reading, clock: clock)
        let said = span.milliseconds.flatMap { $0 > 0 ? Duration.milliseconds($0) : nil }
        guard let life = [said, lifetime].compactMap({ $0 }).min() else { return }
        refreshExpires = asked + min(life, Self.lifeMax)
    }
}
