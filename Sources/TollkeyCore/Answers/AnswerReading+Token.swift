extension AnswerReading {
    /// A token is beyond what servers take in a header far before this. In bytes.
    package static let tokenMax = 16 << 10

    /// A token, a key or an id that can go into a header line, a form and JSON alike.
    package func token(at place: AnswerPlace) throws(AnswerFlaw) -> Secret {
        guard let value = value(at: place) else { throw whyNothing(at: place) }
        let text: String
        switch value {
        case .text(let found), .number(let found): text = found
        case .object, .array, .flag, .null: throw .notText
        }
        if case .content = place, answer.isWebPage || text.utf8.first == UInt8(ascii: "<") { throw .webPage }
        return try Self.fit(text)
    }

    /// A further value of the answer; nil when it is not there.
    func companion(at place: AnswerPlace) throws(AnswerFlaw) -> Secret? {
        guard let value = value(at: place) else { return nil }
        guard let text = value.text else { throw .notText }
        return try Self.fit(text)
    }

    /// Control characters would end the header line that the token goes into, and begin another.
    private static func fit(_ text: String) throws(AnswerFlaw) -> Secret {
        guard text.utf8.contains(where: { $0 != 0x20 }) else { throw .blank }
        guard text.utf8.count <= tokenMax else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw .controlCharacter }
        return Secret(text)
    }

    private func whyNothing(at place: AnswerPlace) -> AnswerFlaw {
        switch place {
        case .header: return .missing
        case .content: return answer.content.isEmpty ? .empty : .missing
        case .json:
            if answer.content.isEmpty { return .empty }
            guard case .failure(let fault) = json else { return .missing }
            return answer.isWebPage ? .webPage : .notJSON(fault)
        }
    }
}

/// Why a successful answer is of no use. Says nothing of what it holds.
package enum AnswerFlaw: Error, Sendable, Equatable {
    case empty
    case webPage
    case notJSON(JSONFault)
    case missing
    case notText
    case blank
    case tooLong
    case controlCharacter
    /// A further value, by its name in the configuration, is missing or of no use.
    case value(String)
    /// All further values together.
    case valuesTooLong
    /// Neither success nor refusal; redirects are not followed.
    case status(Int)

    /// A clause for people: what is wrong.
    package var words: String {
        switch self {
        case .empty: "the answer is empty"
        case .webPage: "the answer is a web page: check the address of the call"
        case .notJSON(let fault): "the answer \(fault.words)"
        case .missing: "the answer has no token where 'read' says that it stands"
        case .notText: "where 'read' says that the token stands, the answer has something that is no text"
        case .blank: "the token in the answer is empty"
        case .tooLong: "the token in the answer is longer than \(AnswerReading.tokenMax >> 10) KiB"
        case .controlCharacter: "the token in the answer holds a line end or another control character"
        case .value(let name): "the answer has no usable '\(name)' where 'read' says that it stands"
        case .valuesTooLong: "the answer's values are together longer than \(Grant.valuesMax >> 10) KiB"
        case .status(300...399):
            "the answer is a redirect, which is not followed: check the address of the call"
        case .status(let status): "the answer has the status \(status), which is no answer to such a call"
        }
    }
}
