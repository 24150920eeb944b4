/// A place in a configuration file. Line and column count from 1, columns in characters.
package struct SourcePosition: Sendable, Hashable {
    /// The file as the user named it, or `shipped:NAME` for a description inside the binary.
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourcePosition: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column)" }
}
