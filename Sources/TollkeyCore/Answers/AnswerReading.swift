/// An answer whose content has been read, once for all places that are looked at.
package struct AnswerReading: Sendable {
    package let answer: TokenAnswer
    let json: Result<JSONValue, JSONFault>

    package init(_ answer: TokenAnswer) {
        self.answer = answer
        json = answer.content.reveal { bytes in
            Result { () throws(JSONFault) in try JSONValue(bytes) }
        }
    }

    /// What stands there; nil when nothing does, or `null`.
    package func value(at place: AnswerPlace) -> JSONValue? {
        switch place {
        case .json(let steps):
            guard case .success(let whole) = json, let value = whole.value(at: steps) else { return nil }
            if case .null = value { return nil }
            return value
        case .header(let name): return answer.field(name).map { .text($0) }
        case .content: return content.map { .text($0) }
        }
    }

    package func text(at place: AnswerPlace) -> String? { value(at: place)?.text }

    /// Whether the answer says what is expected.
    package func meets(_ expectation: Expectation) -> Bool {
        text(at: expectation.place)?.isExactly(expectation.value) ?? false
    }

    /// The content as text, without the one line end that many programs write behind it.
    private var content: String? {
        answer.content.reveal { bytes in
            var text = bytes[...]
            if text.last == 10 {
                text.removeLast()
                if text.last == 13 { text.removeLast() }
            }
            return text.isEmpty ? nil : String(validating: text, as: UTF8.self)
        }
    }
}
