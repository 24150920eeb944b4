import TollkeyCore

/// A JSON content, written as YAML: maps, lists, templates, and without quotes numbers, `true`, `false` and `null`.
struct JSONTemplateReader {
    let names: Names
    let reach: Reach

    var format: Format<JSONTemplate> {
        Format { node, key, reading in
            if case .scalar = node.content {
                reading.report(
                    node.position, "\"\(key)\" must be a map or a list, as the content is; found \(node.kind)"
                )
                return nil
            }
            var count = 0
            return read(node, key, depth: 1, &count)
        }
    }

    private func read(_ node: YamlNode, _ name: String, depth: Int, _ count: inout Int) -> JSONTemplate? {
        count += 1
        guard depth <= Bounds.jsonDepth, count <= Bounds.jsonNodes else {
            // Said once, where it goes beyond.
            if depth > Bounds.jsonDepth || count == Bounds.jsonNodes + 1 {
                names.reading.report(
                    node.position,
                    """
                    a JSON content has at most \(Bounds.jsonNodes) values, \(Bounds.jsonDepth) levels deep; \
                    shorten it
                    """)
            }
            return nil
        }
        switch node.content {
        case .refused:
            return nil
        case .list(let nodes):
            var elements: [JSONTemplate] = []
            for node in nodes {
                if let element = read(node, name, depth: depth + 1, &count) { elements.append(element) }
            }
            return .array(elements)
        case .map(let entries):
            var members: [JSONTemplate.Member] = []
            for entry in entries {
                if let value = member(entry, depth: depth + 1, &count) {
                    members.append(JSONTemplate.Member(name: entry.key, value: value))
                }
            }
            return .object(members)
        case .scalar(let scalar):
            if scalar.isPlain, Self.isLiteral(scalar.text) { return .literal(scalar.text) }
            if node.isNull { return .literal("null") }
            return names.format(for: .field, reach: reach).read(node, name, names.reading).map { .text($0) }
        }
    }

    private func member(_ entry: YamlNode.Entry, depth: Int, _ count: inout Int) -> JSONTemplate? {
        guard !entry.value.isEmpty else {
            names.reading.report(
                entry.position, "\"json\" has a field without a value; give it one, or take it out")
            return nil
        }
        // An odd name may be a secret that lost its place, and is not repeated.
        let name = Quantity.isName(entry.key) ? entry.key : "json"
        let value = read(entry.value, name, depth: depth, &count)
        if case .text(let template) = value {
            names.checkLiteral(template, named: entry.key, at: entry.value.position)
        }
        return value
    }

    /// RFC 8259 §3 and §6: YAML takes more for numbers (`010`, `1_000`, `.5`), which are text here.
    static func isLiteral(_ text: String) -> Bool {
        if ["true", "false", "null"].contains(text) { return true }
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = rest.prefix(while: Characters.isDigit)
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return false }
        rest = rest[whole.endIndex...]
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: Characters.isDigit)
            guard !fraction.isEmpty else { return false }
            rest = rest[fraction.endIndex...]
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
            let exponent = rest.prefix(while: Characters.isDigit)
            guard !exponent.isEmpty else { return false }
            rest = rest[exponent.endIndex...]
        }
        return rest.isEmpty
    }
}
