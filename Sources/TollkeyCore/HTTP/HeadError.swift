/// Why a message cannot be read in one way only, or is beyond a bound. The text is for a person.
package enum HeadError: Error, Sendable, Equatable {
    case malformed(StaticText)
    case headTooLarge
    case targetTooLong
    case contentTooLarge

    package static func malformed(_ text: StaticString) -> HeadError { .malformed(StaticText(text)) }
}

/// A literal of this program, comparable.
package struct StaticText: Sendable, Equatable, CustomStringConvertible {
    private let text: StaticString
    package init(_ text: StaticString) { self.text = text }
    package var description: String { text.description }
    package static func == (a: StaticText, b: StaticText) -> Bool { a.description == b.description }
}
