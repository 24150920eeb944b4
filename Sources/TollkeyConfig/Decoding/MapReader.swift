/// Takes the keys of a map one by one; what nobody asked for is unknown.
///
/// The calls are the declaration: the words that a near miss suggests, the settings reference and the example
/// are checked against the keys asked for here, and there is no second list of them. An absent map is read
/// like an empty one, so that its keys are known too.
struct MapReader {
    let reading: Reading
    /// `providers.*.tls`; empty at the top.
    let path: String
    private let entries: [YamlNode.Entry]
    private var known: [String] = []

    init(_ node: YamlNode?, path: String, reading: Reading) {
        self.reading = reading
        self.path = path
        self.entries = node?.entries ?? []
    }

    /// What stands under `key`; nil when it is absent or empty, which is reported.
    mutating func node(_ key: String) -> Placed<YamlNode>? {
        known.append(key)
        reading.asked(for: path.isEmpty ? key : "\(path).\(key)")
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        if entry.value.isEmpty {
            reading.report(entry.position, "\"\(key)\" has no value; give it one, or take the key out")
            return nil
        }
        return Placed(value: entry.value, position: entry.position)
    }

    /// Whether the key is there, good or bad. Does not count as asking for it.
    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    mutating func value<Value>(_ key: String, _ format: Format<Value>) -> Placed<Value>? {
        guard let found = node(key), let value = format.read(found.value, key, reading) else { return nil }
        return Placed(value: value, position: found.value.position)
    }

    /// Leaves `target`, and so the default, when the key is absent or wrong.
    mutating func set<Value>(_ target: inout Value, _ key: String, _ format: Format<Value>) {
        if let found = value(key, format) { target = found.value }
    }

    mutating func set<Value>(_ target: inout Value?, _ key: String, _ format: Format<Value>) {
        if let found = value(key, format) { target = found.value }
    }

    /// A map whose keys are settings. `body` runs also when it is absent. Returns where it stands.
    @discardableResult
    mutating func map(_ key: String, _ body: (inout MapReader) -> Void) -> SourcePosition? {
        let found = node(key)
        let isMap = found.map { self.isMap($0.value, key) } ?? false
        let path = path.isEmpty ? key : "\(path).\(key)"
        var map = MapReader(isMap ? found?.value : nil, path: path, reading: reading)
        body(&map)
        map.finish()
        return isMap ? found?.position : nil
    }

    /// A map whose keys are the user's own. nil when it is absent or wrong.
    mutating func entries(_ key: String, max: Int) -> Placed<[YamlNode.Entry]>? {
        guard let found = node(key), isMap(found.value, key) else { return nil }
        let entries = found.value.entries ?? []
        guard entries.count <= max else {
            reading.report(found.position, "\"\(key)\" has more than \(max) entries; shorten it")
            return nil
        }
        return Placed(value: entries, position: found.position)
    }

    /// Reports the keys that nobody asked for.
    func finish(later: Set<String> = []) {
        for entry in entries where !known.contains(entry.key) {
            reading.report(entry.position, complaint(about: entry.key, later: later))
        }
    }

    private func complaint(about key: String, later: Set<String>) -> String {
        if later.contains(key) { return "\"\(key)\" is not available in this version; take it out" }
        let name = Quantity.isName(key) ? "\"\(key)\" is an unknown key" : "this is an unknown key"
        if let near = NearMiss.of(key, among: known) { return "\(name); did you mean \"\(near)\"?" }
        return "\(name); known here: \(known.joined(separator: ", "))"
    }

    private func isMap(_ node: YamlNode, _ key: String) -> Bool {
        switch node.content {
        case .map: return true
        case .refused: return false
        case .scalar, .list:
            reading.report(
                node.position, "\"\(key)\" must be a map (\"key: value\" lines below it); found \(node.kind)")
            return false
        }
    }
}
