/// Why a token call gave no token. Holds nothing of the answer but its status and a short error code.
package enum GrantFault: Error, Sendable, Equatable {
    case refused(TokenRefusal)
    /// An answer that means success and is of no use.
    case unusable(AnswerFlaw)
    /// The token's end lies before the call, or its life is nothing. With how far this machine's clock is ahead of the
    /// provider's, where the answer says it.
    case alreadyExpired(clockAhead: Duration?)

    /// What an answer that is no success says.
    package init(_ answer: TokenAnswer, wasRefresh: Bool, asked: Moment) {
        switch answer.status {
        case 400...599:
            self = .refused(TokenRefusal(AnswerReading(answer), wasRefresh: wasRefresh, asked: asked))
        default: self = .unusable(.status(answer.status))
        }
    }

    /// A clause for people: what went wrong and, where it is known, what to do.
    package var words: String {
        switch self {
        case .refused(let refusal): refusal.words
        case .unusable(let flaw): flaw.words
        case .alreadyExpired(nil):
            "the token had already expired when it came: check this machine's clock"
        case .alreadyExpired(let ahead?) where ahead.isBeyond(GrantNote.clockDifferenceMax):
            "the token had already expired when it came, and \(GrantNote.clockAhead(ahead).words)"
        case .alreadyExpired:
            "the token had already expired when it came, also by the provider's clock, with which this machine's"
                + " agrees"
        }
    }
}

extension Duration {
    /// Whether it is longer, forwards or backwards.
    func isBeyond(_ span: Duration) -> Bool { self > span || self < .zero - span }
}
