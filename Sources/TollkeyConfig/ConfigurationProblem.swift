/// One thing that is wrong in the configuration: where, what, and what to do.
///
/// Messages name keys and never quote values. A secret may stand anywhere by mistake (in a URL, one line too
/// high, behind a missing space), and the position already shows the value to whoever may read the file. The
/// one exception is `upstream_example`, which is there to be shown.
package struct ConfigurationProblem: Error, Sendable, Hashable {
    package var position: SourcePosition
    package var message: String

    package init(_ position: SourcePosition, _ message: String) {
        self.position = position
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    package var description: String { "\(position): \(message)" }
}

/// Everything that is wrong in the configuration, in the order of the file, shipped descriptions last.
package struct ConfigurationProblems: Error, Sendable, Equatable {
    /// Never empty.
    package var list: [ConfigurationProblem]
    /// How many more there were than `Bounds.problems`.
    package var further: Int
}

extension ConfigurationProblems: CustomStringConvertible {
    package var description: String {
        var lines = list.map(\.description)
        if further > 0 { lines.append("and \(further) more problems") }
        return lines.joined(separator: "\n")
    }
}
