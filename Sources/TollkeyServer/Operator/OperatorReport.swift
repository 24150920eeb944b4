import TollkeyCore

/// What a command has done, in lines for a person. Never holds a secret.
package struct OperatorReport: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package let text: String
        package let isTrouble: Bool
    }

    package private(set) var lines: [Line] = []

    /// Whether all that was asked for is done.
    package var isGood: Bool { !lines.contains(where: \.isTrouble) }

    mutating func say(_ text: String) { lines.append(Line(text: text, isTrouble: false)) }

    mutating func complain(_ text: String) { lines.append(Line(text: text, isTrouble: true)) }
}

extension Duration {
    /// As people say it: the two largest of its units.
    package var inWords: String {
        var rest = max(0, milliseconds / 1_000)
        var words: [String] = []
        for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] as [(Int64, String)] {
            if words.count == 2 { break }
            if rest >= size { words.append("\(rest / size) \(unit)") }
            rest %= size
        }
        return words.isEmpty ? "0 s" : words.joined(separator: " ")
    }
}

extension Deadline {
    /// How long from `now`, and until when.
    func inWords(at now: Moment) -> String {
        "for \(remaining(at: now).inWords), until \(TimeFormat.rfc3339.text(wall))"
    }
}
