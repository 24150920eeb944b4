/// Text to nodes. Bounded in size, depth and count; without anchors, aliases, merge keys and tags, which a
/// configuration does not need and which can make a small file mean a huge one.
package struct YamlParser: ~Copyable {
    package enum Outcome {
        /// The file's one value, and what was refused on the way.
        case node(YamlNode, problems: [ConfigurationProblem])
        /// Nothing, or comments only.
        case empty
        /// The text is not YAML, or beyond a bound: nothing else can be said about it.
        case unreadable(ConfigurationProblem)
    }

    private var events: YamlEvents
    private var problems: [ConfigurationProblem] = []
    private var nodes = 0

    package static func parse(_ text: [UInt8], file: String) -> Outcome {
        if let problem = SourceText.problem(in: text, file: file) { return .unreadable(problem) }
        return text.withUnsafeBufferPointer { bytes in
            guard let events = YamlEvents(bytes, file: file) else {
                let start = SourcePosition(file: file, line: 1, column: 1)
                return .unreadable(ConfigurationProblem(start, "there is too little memory to read this"))
            }
            var parser = YamlParser(events: events)
            do throws(ConfigurationProblem) {
                return try parser.document()
            } catch {
                return .unreadable(error)
            }
        }
    }

    private init(events: consuming YamlEvents) {
        self.events = events
    }

    private mutating func document() throws(ConfigurationProblem) -> Outcome {
        guard case .documentStart = try events.next().kind else { return .empty }
        let node = try node(from: try events.next(), depth: 1)
        _ = try events.next()  // the document's end
        let after = try events.next()
        if case .documentStart = after.kind {
            throw ConfigurationProblem(
                after.position, "a second document begins here; a configuration is one, so remove the \"---\""
            )
        }
        return node.isEmpty || node.isNull ? .empty : .node(node, problems: problems)
    }

    private mutating func node(
        from event: YamlEvent, depth: Int
    ) throws(ConfigurationProblem) -> YamlNode {
        nodes += 1
        if nodes > Bounds.nodes {
            throw ConfigurationProblem(
                event.position, "the file holds more than \(Bounds.nodes) values; is this the right file?")
        }
        if event.hasAnchor {
            refuse(event, "anchors (\"&name\") are not used here; write the value out where it is needed")
        }
        if event.hasTag {
            refuse(event, "tags (\"!name\") are not used here; take it out")
        }
        switch event.kind {
        case .scalar(let scalar):
            return YamlNode(position: event.position, content: event.hasTag ? .refused : .scalar(scalar))
        case .listStart:
            return YamlNode(position: event.position, content: .list(try list(event, depth: depth)))
        case .mapStart:
            return YamlNode(position: event.position, content: .map(try map(event, depth: depth)))
        case .alias, .listEnd, .mapEnd, .documentStart, .documentEnd, .streamEnd:
            // libyaml sends ends only after starts, so that this is an alias.
            refuse(event, "aliases (\"*name\") are not used here; write the value out where it is needed")
            return YamlNode(position: event.position, content: .refused)
        }
    }

    private mutating func list(
        _ start: YamlEvent, depth: Int
    ) throws(ConfigurationProblem) -> [YamlNode] {
        try checkDepth(start, depth)
        var elements: [YamlNode] = []
        while true {
            let event = try events.next()
            if case .listEnd = event.kind { return elements }
            elements.append(try node(from: event, depth: depth + 1))
        }
    }

    private mutating func map(
        _ start: YamlEvent, depth: Int
    ) throws(ConfigurationProblem) -> [YamlNode.Entry] {
        try checkDepth(start, depth)
        var entries: [YamlNode.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { return entries }
            let key = try node(from: event, depth: depth + 1)
            let value = try node(from: try events.next(), depth: depth + 1)
            guard let name = name(from: key) else { continue }
            if let line = lines[name] {
                refuse(
                    event, "\(Quantity.quoted(name)) is here twice, first on line \(line); keep one of them")
                continue
            }
            lines[name] = key.position.line
            entries.append(YamlNode.Entry(key: name, position: key.position, value: value))
        }
    }

    /// A key's text, or nil after saying what is wrong with it.
    private mutating func name(from key: YamlNode) -> String? {
        switch key.content {
        case .refused:
            return nil
        case .list, .map:
            problems.append(ConfigurationProblem(key.position, "a key is one word, not \(key.kind)"))
            return nil
        case .scalar(let scalar) where scalar.text.isEmpty:
            problems.append(ConfigurationProblem(key.position, "a key is missing in front of the \":\""))
            return nil
        case .scalar(let scalar) where scalar.isPlain && scalar.text == "<<":
            problems.append(
                ConfigurationProblem(
                    key.position,
                    "merge keys (\"<<\") are not used here; \"use\" takes a shipped description over"))
            return nil
        case .scalar(let scalar):
            return scalar.text
        }
    }

    private func checkDepth(_ event: YamlEvent, _ depth: Int) throws(ConfigurationProblem) {
        guard depth > Bounds.depth else { return }
        throw ConfigurationProblem(
            event.position, "maps and lists are nested more than \(Bounds.depth) deep; no setting is")
    }

    private mutating func refuse(_ event: YamlEvent, _ message: String) {
        problems.append(ConfigurationProblem(event.position, message))
    }
}
