/// `Retry-After` (RFC 9110 §10.2.3).
package enum RetryAfter {
    /// How long to wait from now on: seconds, or a date against the answer's own `Date`. Zero when that is over, ten
    /// years at most, nil when the answer does not say it.
    package static func read(_ answer: TokenAnswer, asked: Moment) -> Duration? {
        guard let text = answer.field("retry-after") else { return nil }
        let milliseconds: Int64
        if let seconds = DecimalText.thousandths(text) {
            guard seconds >= 0 else { return nil }
            milliseconds = seconds
        } else {
            guard let date = Dates.milliseconds(http: text) else { return nil }
            let (span, isOver) = date.subtractingReportingOverflow(answer.date ?? asked.wall)
            milliseconds = isOver ? .max : max(0, span)
        }
        return min(.milliseconds(milliseconds), Grant.lifeMax)
    }
}
