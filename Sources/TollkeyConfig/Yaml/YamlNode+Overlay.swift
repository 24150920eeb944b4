extension YamlNode {
    /// This node laid over `base`: maps merge key by key, scalars and lists replace, `~` takes away.
    ///
    /// An empty value takes nothing away: `allow:` with its lines commented out must not open a provider, so
    /// it stays and is reported.
    func laid(over base: YamlNode) -> YamlNode {
        laid(over: base, headers: false)
    }

    /// `headers`: keys are header names, so that `authorization` lies over `Authorization`.
    private func laid(over base: YamlNode, headers: Bool) -> YamlNode {
        guard case .map(let upper) = content, case .map(let lower) = base.content else { return self }
        func identity(_ key: String) -> String { headers ? HeaderName.folded(key) : key }
        var above: [String: Entry] = [:]
        for entry in upper where above[identity(entry.key)] == nil { above[identity(entry.key)] = entry }
        var merged: [Entry] = []
        var met: Set<String> = []
        for entry in lower {
            let key = identity(entry.key)
            guard let over = above[key] else {
                merged.append(entry)
                continue
            }
            met.insert(key)
            if over.value.isNull { continue }
            let areHeaders = key == "inject" || key == "defaults"
            merged.append(
                Entry(
                    key: over.key, position: over.position,
                    value: over.value.laid(over: entry.value, headers: areHeaders)))
        }
        // Two spellings of one header both stay, so that the reader can say so.
        merged += upper.filter { entry in
            let key = identity(entry.key)
            return !met.contains(key) || (above[key]?.key != entry.key)
        }
        return YamlNode(position: position, content: .map(merged))
    }
}
