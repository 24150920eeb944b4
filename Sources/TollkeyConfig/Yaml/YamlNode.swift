/// A value in a YAML file, with its place. Keys are text, in the order of the file, each once.
package struct YamlNode: Sendable, Equatable {
    package struct Scalar: Sendable, Equatable {
        package var text: String
        /// Written without quotes, so that `true`, `12` and `~` have a meaning.
        package var isPlain: Bool
    }

    package struct Entry: Sendable, Equatable {
        package var key: String
        package var position: SourcePosition
        package var value: YamlNode
    }

    package indirect enum Content: Sendable, Equatable {
        case scalar(Scalar)
        case list([YamlNode])
        case map([Entry])
        /// Something that is not used here (an alias, a tag) and was reported where it stands; readers stay
        /// silent about it.
        case refused
    }

    package var position: SourcePosition
    package var content: Content
}

extension YamlNode {
    /// Nothing at all after the colon.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.isPlain && scalar.text.isEmpty
    }

    /// `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.isPlain && ["~", "null", "Null", "NULL"].contains(scalar.text)
    }

    var entries: [Entry]? {
        guard case .map(let entries) = content else { return nil }
        return entries
    }

    /// The text of a scalar.
    var text: String? {
        guard case .scalar(let scalar) = content else { return nil }
        return scalar.text
    }

    /// What stands under a key of a map.
    subscript(key: String) -> YamlNode? { entries?.first { $0.key == key }?.value }

    /// What stands here, to end a message: `found a list`.
    var kind: String {
        switch content {
        case .scalar: isEmpty || isNull ? "nothing" : "text"
        case .list: "a list"
        case .map: "a map"
        case .refused: "something else"
        }
    }
}
