/// An answer to a call that the proxy made by itself. It may hold tokens: only its status and names can be seen.
package struct TokenAnswer: Sendable {
    package var status: Int
    package var fields: [AnswerField]
    package var content: Secret

    package init(status: Int, fields: [AnswerField] = [], content: Secret) {
        self.status = status
        self.fields = fields
        self.content = content
    }

    package var isSuccess: Bool { (200...299).contains(status) }

    /// The value of a header field, by its name in lower case; nil also when there are several that differ.
    package func field(_ name: String) -> String? {
        let all = fields.filter { $0.name.isExactly(name) }
        guard let first = all.first, all.allSatisfy({ $0.value.isExactly(first.value) }) else { return nil }
        return first.value
    }

    /// When the provider says that it answered, in milliseconds since 1970 (RFC 9110 §6.6.1).
    package var date: Int64? { field("date").flatMap(Dates.milliseconds(http:)) }

    var isWebPage: Bool {
        let type = field("content-type").map { Array($0.utf8) } ?? []
        return type.span.hasPrefixIgnoringCase("text/html")
            || type.span.hasPrefixIgnoringCase("application/xhtml")
    }
}

extension TokenAnswer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "answer \(status)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["status": status]) }
}

/// A header field of an answer.
package struct AnswerField: Sendable {
    /// In lower case.
    package var name: String
    /// Without the white space around it.
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension AnswerField: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(name): <secret>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
