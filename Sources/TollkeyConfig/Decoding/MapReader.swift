/// Takes the keys of a map one by one; what nobody asked for is unknown.
///
/// The calls are the declaration: the words that a near miss suggests, the settings reference and the example
/// are checked against the keys asked for here, and there is no second list of them. An absent map is read
/// like an empty one, so that its keys are known too.
struct MapReader {
    let reading: Reading
    /// Where it stands; nil when it is absent, so that nothing can be missing in it.
    let place: SourcePosition?
    /// `providers.*.tls`; empty at the top.
    private var path: String
    private let entries: [YamlNode.Entry]
    private var known: [String] = []

    /// - Parameter place: what problems about the whole point at; the map itself when there is no better.
    init(_ node: YamlNode?, path: String, at place: SourcePosition? = nil, reading: Reading) {
        self.reading = reading
        self.place = place ?? node?.position
        self.path = path
        self.entries = node?.entries ?? []
    }

    /// What stands under `key`; nil when it is absent or empty, which is reported.
    mutating func node(_ key: String) -> Placed<YamlNode>? {
        known.append(key)
        reading.asked(for: path(to: key))
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        if entry.value.isEmpty {
            reading.report(entry.position, "\"\(key)\" has no value; give it one, or take the key out")
            return nil
        }
        return Placed(value: entry.value, position: entry.position)
    }

    /// Whether the key is there, good or bad. Does not count as asking for it.
    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Where the key stands. Does not count as asking for it.
    func place(of key: String) -> SourcePosition? { entries.first { $0.key == key }?.position }

    /// Where a name stands in the map below a key.
    func place(of name: String, under key: String) -> SourcePosition? {
        let map = entries.first { $0.key == key }?.value
        return map?.entries?.first { $0.key == name }?.position
    }

    /// Whether the key has been asked for.
    func knows(_ key: String) -> Bool { known.contains(key) }

    /// Keys that mean the same in several maps are known, and documented, once: as `name.key`.
    mutating func vocabulary<Result>(_ name: String, _ body: (inout MapReader) -> Result) -> Result {
        let own = path
        path = name
        defer { path = own }
        return body(&self)
    }

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
        var map = MapReader(
            isMap ? found?.value : nil, path: path(to: key), at: isMap ? found?.position : nil,
            reading: reading)
        body(&map)
        map.finish()
        return isMap ? found?.position : nil
    }

    /// A list of maps; one map may stand without brackets.
    mutating func maps(_ key: String, max: Int, _ body: (inout MapReader) -> Void) {
        let format = Format<[Placed<YamlNode>]>.list(of: .node, max: max)
        for node in value(key, format)?.value ?? [] where isMap(node.value, key) {
            var map = MapReader(node.value, path: "\(path(to: key)).*", reading: reading)
            body(&map)
            map.finish()
        }
    }

    /// Maps below names of the user's own. `what` a name is, for messages: `a credential`.
    mutating func maps(
        _ key: String, max: Int, of what: String, _ body: (_ name: String, inout MapReader) -> Void
    ) {
        for entry in entries(key, max: max)?.value ?? []
        where isNamed(entry, what) && isMap(entry.value, entry.key) {
            var map = MapReader(
                entry.value, path: "\(path(to: key)).*", at: entry.position, reading: reading)
            body(entry.key, &map)
            map.finish()
        }
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

    /// Whether an entry has a name that messages and templates can hold, and something below it.
    func isNamed(_ entry: YamlNode.Entry, _ what: String) -> Bool {
        guard Quantity.isName(entry.key) else {
            reading.report(
                entry.position,
                """
                the name of \(what) is 1 to \(Bounds.nameLength) letters, digits, "_" and "-"; rename this one
                """)
            return false
        }
        if entry.value.isEmpty {
            reading.report(entry.position, "\(what) has nothing below its name; fill it in, or take it out")
        }
        return !entry.value.isEmpty
    }

    private func path(to key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

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
