import TollkeyCore

/// What is taken out of the answer to a call, and what an answer is compared with.
struct AnswerReader {
    let reading: Reading

    /// `read` and its like.
    func read(_ map: inout MapReader, _ key: String) -> Placed<ReadSettings>? {
        let place = Format<AnswerPlace>.text(AnswerPlace.parse)
        var settings: ReadSettings?
        let position = map.map(key) { map in
            map.vocabulary("read") { map in
                let token = map.value("token", place)
                let refreshToken = map.value("refresh_token", place)
                let expiry = readExpiry(&map, "expires")
                let refreshExpiry = readExpiry(&map, "refresh_expires")
                let values = readValues(&map)
                if let place = map.place, !map.has("token") {
                    reading.report(
                        place, "\"\(key)\" does not say where the token is; add it, as in token: access_token"
                    )
                }
                guard let token else { return }
                var read = ReadSettings(token: token.value)
                read.refreshToken = refreshToken?.value
                read.expiry = expiry
                read.refreshExpiry = refreshExpiry
                read.values = values
                settings = read
            }
        }
        guard let position, let settings else { return nil }
        return Placed(value: settings, position: position)
    }

    private func readExpiry(_ map: inout MapReader, _ name: String) -> [ExpirySignal] {
        let place = Format<AnswerPlace>.text(AnswerPlace.parse)
        return [
            map.value("\(name)_in", place).map { .seconds($0.value) },
            map.value("\(name)_in_ms", place).map { .milliseconds($0.value) },
            map.value("\(name)_at", place).map { .date($0.value) },
        ].compactMap { $0 }
    }

    private func readValues(_ map: inout MapReader) -> [ReadSettings.Value] {
        (map.entries("values", max: Bounds.readValues)?.value ?? []).compactMap { entry in
            guard map.isNamed(entry, "a value of an answer") else { return nil }
            return Format<AnswerPlace>.text(AnswerPlace.parse).read(entry.value, entry.key, reading)
                .map { ReadSettings.Value(name: entry.key, place: $0) }
        }
    }

    /// Places and the texts that must stand there. With `anyOf`, a list gives several texts to choose from.
    func expectations(_ map: inout MapReader, _ key: String, anyOf: Bool) -> [Expectation] {
        guard let entries = map.entries(key, max: Bounds.expectations) else { return [] }
        if entries.value.isEmpty {
            reading.report(
                entries.position, "\"\(key)\" says nothing; name a place and its text, or take it out")
        }
        let word = Format<String>.word
        let format: Format<[Placed<String>]> =
            anyOf
            ? .list(of: word, least: 1, max: Bounds.expectations)
            : Format { node, key, reading in
                word.read(node, key, reading).map { [Placed(value: $0, position: node.position)] }
            }
        return entries.value.flatMap { entry -> [Expectation] in
            let place: AnswerPlace
            do throws(Misfit) {
                place = try AnswerPlace.parse(entry.key)
            } catch {
                reading.report(entry.position, "a place in \"\(key)\" \(error.message)")
                return []
            }
            guard !entry.value.isEmpty else {
                reading.report(
                    entry.position, "\"\(key)\" has a place without a text; give it one, or take it out")
                return []
            }
            return (format.read(entry.value, key, reading) ?? []).map {
                Expectation(place: place, value: $0.value)
            }
        }
    }
}
