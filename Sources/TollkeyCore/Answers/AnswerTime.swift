/// What time it was for the provider when it answered: what its dates are held against.
struct AnswerTime {
    /// Milliseconds since 1970; never too early, so that no life comes out too long.
    let now: Int64
    /// How far this machine's clock is ahead of the provider's; nil when the answer has no date.
    let ahead: Duration?

    init(_ answer: TokenAnswer, asked: Moment) {
        guard let date = answer.date else {
            (now, ahead) = (asked.wall, nil)
            return
        }
        // `Date` names a whole second (RFC 9110 §6.6.1). Within it our own clock knows better.
        let last = date + 999
        now = (date...last).contains(asked.wall) ? asked.wall : last
        let (difference, isOver) = asked.wall.subtractingReportingOverflow(date)
        ahead = .milliseconds(isOver ? (asked.wall < 0 ? .min : .max) : difference)
    }

    /// Milliseconds from now to `date`.
    func life(until date: Int64) -> Int64 {
        let (life, isOver) = date.subtractingReportingOverflow(now)
        return isOver ? (date < 0 ? .min : .max) : life
    }
}
