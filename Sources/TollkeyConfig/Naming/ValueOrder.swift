import TollkeyCore

/// Puts values behind those that they are made of, and tells the names what each is made of in the end.
struct ValueOrder {
    private let values: [Placed<ValueSettings>]
    private let names: Names

    init(_ values: [Placed<ValueSettings>], names: Names) {
        self.values = values
        self.names = names
    }

    /// In the order of the file as far as it goes. Values in a circle are reported and left out.
    func sorted() -> [ValueSettings] {
        var waiting = values
        var sorted: [ValueSettings] = []
        var placed: Set<String> = []
        while true {
            let unread = Set(waiting.map(\.value.name))
            let ready = waiting.firstIndex { value in
                value.value.madeOf.values.allSatisfy { placed.contains($0) || !unread.contains($0) }
            }
            guard let ready else { break }
            let value = waiting.remove(at: ready).value
            names.madeOf[value.name] = ingredients(of: value)
            placed.insert(value.name)
            sorted.append(value)
        }
        for value in waiting { names.madeOf[value.value.name] = Names.Ingredients() }
        // One report for a circle: what merely leans on it is no problem of its own.
        if let value = waiting.first(where: { isMadeOfItself($0.value.name, waiting) }) {
            names.reading.report(
                value.position,
                "the value \"\(value.value.name)\" is made of itself in the end; break the circle")
        }
        return sorted
    }

    private func ingredients(of value: ValueSettings) -> Names.Ingredients {
        let made = value.madeOf
        return made.values.compactMap { names.madeOf[$0] }
            .reduce(into: Names.Ingredients(hasRequest: made.hasRequest, credentials: made.credentials)) {
                $0.hasRequest = $0.hasRequest || $1.hasRequest
                $0.credentials.formUnion($1.credentials)
            }
    }

    private func isMadeOfItself(_ name: String, _ values: [Placed<ValueSettings>]) -> Bool {
        var met: Set<String> = []
        var next = [name]
        while let current = next.popLast() {
            for value in values where value.value.name == current {
                for part in value.value.madeOf.values {
                    if part == name { return true }
                    if met.insert(part).inserted { next.append(part) }
                }
            }
        }
        return false
    }
}

extension ValueSettings {
    /// What stands in its own templates.
    fileprivate var madeOf: (values: Set<String>, credentials: Set<String>, hasRequest: Bool) {
        var values: Set<String> = []
        var credentials: Set<String> = []
        var hasRequest = false
        for part in kind.templates.joined() {
            switch part {
            case .value(let name): values.insert(name)
            case .credential(let name): credentials.insert(String(name.prefix { $0 != "." }))
            case .request: hasRequest = true
            case .text, .secret, .input: break
            }
        }
        return (values, credentials, hasRequest)
    }
}
