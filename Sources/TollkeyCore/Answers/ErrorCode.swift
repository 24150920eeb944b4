/// A provider's short word for what went wrong. Only what has the form of a code is ever repeated.
struct ErrorCode: Equatable {
    enum Meaning { case grantDead, rejected, trouble, tokenDead, unknown }

    /// As the provider writes it.
    let text: String
    let meaning: Meaning

    static let bytesMax = 64

    /// Where codes stand: RFC 6749 §5.2 in `error`, other providers elsewhere.
    private static let places: [[AnswerPlace.Step]] = [
        [.member("error")], [.member("error"), .member("code")], [.member("code")], [.member("error_code")],
    ]

    static func all(in reading: AnswerReading) -> [ErrorCode] {
        places.compactMap { place in
            switch reading.value(at: .json(place)) {
            case .text(let text), .number(let text): ErrorCode(text, status: reading.answer.status)
            case .object, .array, .flag, .null, nil: nil
            }
        }
    }

    /// The first that is known, else the first.
    static func mostTelling(_ codes: [ErrorCode]) -> ErrorCode? {
        codes.first { $0.meaning != .unknown } ?? codes.first
    }

    /// Nil for what is no code, and for a number that only repeats the status.
    private init?(_ text: String, status: Int) {
        let isCode = text.utf8.allSatisfy {
            Characters.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-")
        }
        guard (1...Self.bytesMax).contains(text.utf8.count), isCode, text != String(status) else {
            return nil
        }
        self.text = text
        meaning = Self.meaning(text.lowercased())
    }

    private static func meaning(_ code: String) -> Meaning {
        switch code {
        case "invalid_grant": .grantDead
        case "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope",
            "unsupported_grant_type", "invalid_api_key", "access_denied":
            .rejected
        case "server_error", "temporarily_unavailable": .trouble
        // `token_not_valid`, `invalid_refresh_token`, `EXPIRED_TOKEN`: the token that was sent, in the words of many.
        case _
        where code.split(whereSeparator: { "_.-".contains($0) }).contains { ["token", "grant"].contains($0) }:
            .tokenDead
        default: .unknown
        }
    }
}
