import TollkeyCore

/// `values`: what is computed. Read before all other templates, which have to know what values are made of.
struct ValueReader {
    let names: Names

    private var reading: Reading { names.reading }

    /// Values, each behind those that it is made of.
    func read(_ map: inout MapReader) -> [ValueSettings] {
        var found: [Placed<ValueSettings>] = []
        for entry in map.entries("values", max: Bounds.values)?.value ?? []
        where map.isNamed(entry, "a value") {
            guard let kind = kind(entry) else { continue }
            found.append(
                Placed(value: ValueSettings(name: entry.key, kind: kind), position: entry.position))
        }
        return ValueOrder(found, names: names).sorted()
    }

    private func kind(_ entry: YamlNode.Entry) -> ValueSettings.Kind? {
        switch entry.value.content {
        case .refused:
            return nil
        case .scalar(let scalar) where scalar.text == "uuid":
            return .uuid
        case .scalar, .list:
            reading.report(
                entry.value.position,
                "\"\(entry.key)\" must be uuid, or a map such as {time: rfc3339}; found \(entry.value.kind)")
            return nil
        case .map:
            var map = MapReader(entry.value, path: "", at: entry.position, reading: reading)
            let kind = kind(&map)
            map.finish()
            return kind
        }
    }

    /// The words that say what a value is, and what may stand beside each.
    private static let companions: KeyValuePairs = [
        "random": ["as"], "time": [], "base64": [], "base64url": [], "hex": [], "hash": ["of", "as"],
        "hmac": ["key", "of", "as"], "rsa": ["key", "of", "as"], "jwt": ["key", "claims"],
    ]

    func kind(_ map: inout MapReader) -> ValueSettings.Kind? {
        map.vocabulary("value") { map in
            let problemsBefore = reading.problemCount
            var kinds: [ValueSettings.Kind] = []
            let random = map.value("random", .number(in: Bounds.random))
            let time = map.value("time", .choice(of: TimeFormat.allCases))
            for encoding in TextEncoding.allCases {
                let text = map.value(encoding.rawValue, names.format(for: .field, reach: .forwarded))
                if let text { kinds.append(.encoded(text.value, as: encoding)) }
            }
            let hash = map.value("hash", .choice(of: Digest.allCases))
            let hmac = map.value("hmac", .choice(of: Digest.allCases))
            let rsa = map.value("rsa", .choice(of: Digest.allCases))
            let jwt = map.value("jwt", .choice(of: [Algorithm.hs256]))
            let key = key(&map)
            let of = map.value("of", names.format(for: .signed, reach: .forwarded))?.value ?? []
            let claims = names.fields(&map, "claims", reach: .forwarded)
            let encoding = map.value("as", .choice(of: TextEncoding.allCases))?.value
            if let random { kinds.append(.random(random.value, as: encoding ?? .hex)) }
            if let time { kinds.append(.time(time.value)) }
            if let hash { kinds.append(.hash(hash.value, of: of, as: encoding ?? .hex)) }
            if let hmac { kinds.append(.hmac(hmac.value, key: key, of: of, as: encoding ?? .hex)) }
            if let rsa { kinds.append(.rsa(rsa.value, key: key, of: of, as: encoding ?? .base64)) }
            if jwt != nil { kinds.append(.jwt(key: key, claims: claims)) }
            checkCompanions(map)
            return reading.problemCount == problemsBefore && kinds.count == 1 ? kinds[0] : nil
        }
    }

    private enum Algorithm: String { case hs256 = "HS256" }

    private func key(_ map: inout MapReader) -> Template {
        let format = names.format(for: .field, reach: .forwarded, isKey: true)
        guard let key = map.value("key", format) else { return [] }
        names.checkLiteral(key.value, named: "private-key", at: key.position)
        return key.value
    }

    private func checkCompanions(_ map: MapReader) {
        guard let place = map.place else { return }
        let given = Self.companions.filter { map.has($0.key) }
        let all = Self.companions.map(\.key).joined(separator: ", ")
        guard let kind = given.first else {
            reading.report(place, "this value does not say what it is; write one of \(all)")
            return
        }
        if given.count > 1, let second = map.place(of: given[1].key) {
            reading.report(second, "a value is one thing: keep \"\(kind.key)\" or \"\(given[1].key)\"")
            return
        }
        for companion in ["key", "of", "claims", "as"] {
            if let place = map.place(of: companion), !kind.value.contains(companion) {
                reading.report(place, "\"\(companion)\" has no meaning beside \"\(kind.key)\"; take it out")
            }
            if !map.has(companion), kind.value.contains(companion), companion != "as" {
                reading.report(place, "\"\(kind.key)\" needs \"\(companion)\"; add it")
            }
        }
    }
}
