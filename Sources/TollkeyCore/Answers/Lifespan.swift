/// How long a token lives by all that an answer says of it: the earliest end wins.
struct Lifespan {
    /// Milliseconds from the call on; nil while nothing has said it.
    private(set) var milliseconds: Int64?
    /// Something that should have said it could not be read.
    private(set) var hasUnreadable = false

    init(of token: Secret, _ signals: [ExpirySignal], in reading: AnswerReading, clock: AnswerTime) {
        for signal in signals { hear(signal, reading, clock) }
        guard let claims = JWTClaims(token), let expires = claims.expires else { return }
        hear(clock.life(until: expires))
        // Needs no clock. An end before the beginning says nothing.
        if let issued = claims.issued, expires > issued { hear(expires - issued) }
    }

    private mutating func hear(_ signal: ExpirySignal, _ reading: AnswerReading, _ clock: AnswerTime) {
        switch signal {
        case .seconds(let place):
            guard let value = reading.value(at: place) else { return }
            hear(Self.thousandths(value))
        case .milliseconds(let place):
            guard let value = reading.value(at: place) else { return }
            hear(Self.thousandths(value).map { $0 / 1_000 })
        case .date(let place):
            guard let value = reading.value(at: place) else { return }
            hear(Self.date(value).map(clock.life))
        }
    }

    private mutating func hear(_ life: Int64?) {
        guard let life else {
            hasUnreadable = true
            return
        }
        milliseconds = min(milliseconds ?? life, life)
    }

    /// Below zero is no length of time; some providers mean "for ever" by -1, which it is not here.
    private static func thousandths(_ value: JSONValue) -> Int64? {
        guard case .text(let text) = number(value), let number = DecimalText.thousandths(text), number >= 0
        else { return nil }
        return number
    }

    private static func date(_ value: JSONValue) -> Int64? {
        guard case .text(let text) = number(value) else { return nil }
        return Dates.milliseconds(text)
    }

    /// Numbers may stand as text too; a flag is neither.
    private static func number(_ value: JSONValue) -> JSONValue {
        if case .number(let number) = value { return .text(number) }
        return value
    }
}
