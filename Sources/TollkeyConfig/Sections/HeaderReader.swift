import TollkeyCore

/// Maps of header names and templates: `inject`, `defaults`, a call's `headers`.
struct HeaderReader {
    let names: Names

    private var reading: Reading { names.reading }

    /// A header to be set, and where its name stands.
    struct PlacedHeader {
        var header: InjectedHeader
        var position: SourcePosition
    }

    func read(_ map: inout MapReader, _ key: String, reach: Reach) -> [PlacedHeader] {
        let format = names.format(for: .header, reach: reach)
        var headers: [PlacedHeader] = []
        for entry in map.entries(key, max: Bounds.headers)?.value ?? [] {
            if entry.value.isEmpty {
                reading.report(
                    entry.position, "\"\(key)\" has a header without a value; give it one, or take it out")
                continue
            }
            guard checkName(entry.key, at: entry.position, of: key),
                let value = format.read(entry.value, entry.key, reading)
            else { continue }
            names.checkLiteral(value, named: entry.key, at: entry.value.position)
            headers.append(
                PlacedHeader(
                    header: InjectedHeader(name: entry.key, value: value), position: entry.position))
        }
        return headers
    }

    /// Where each header is, by its folded name; a second spelling of one is reported.
    func places(of headers: [PlacedHeader], _ key: String) -> [String: SourcePosition] {
        var places: [String: SourcePosition] = [:]
        for header in headers {
            let folded = HeaderName.folded(header.header.name)
            if let first = places[folded] {
                reading.report(
                    header.position,
                    """
                    "\(header.header.name)" is in "\(key)" twice (case, "_" and "-" make no difference), first \
                    on line \(first.line); keep one of them
                    """)
            } else {
                places[folded] = header.position
            }
        }
        return places
    }

    private func checkName(_ name: String, at position: SourcePosition, of key: String) -> Bool {
        do throws(Misfit) {
            _ = try HeaderName.parse(name)
            return true
        } catch {
            reading.report(position, "a name in \"\(key)\" \(error.message)")
            return false
        }
    }
}
