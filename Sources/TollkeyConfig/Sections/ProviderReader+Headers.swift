import TollkeyCore

extension ProviderReader {
    /// A header to be set, and where its value stands.
    private struct PlacedHeader {
        var header: InjectedHeader
        var name: SourcePosition
        var value: SourcePosition
    }

    /// `inject`, `defaults`, `pass` and the `secrets` they need.
    func readHeaders(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        let problemsBefore = reading.problemCount
        let inject = readTemplates(&map, "inject")
        let injected = names(of: inject, "inject")
        // What the user sets always lies over what a description sets sometimes.
        let allDefaults = readTemplates(&map, "defaults")
        let areAllNeedsKnown = reading.problemCount == problemsBefore
        let defaults = allDefaults.filter { header in
            guard let over = injected[HeaderName.folded(header.header.name)] else { return true }
            let isLaidOver = over.file == reading.file && header.name.file != reading.file
            if !isLaidOver {
                reading.report(
                    header.name,
                    "\"\(header.header.name)\" is in \"inject\" too, which always sets it; keep one of them")
            }
            return !isLaidOver
        }
        _ = names(of: defaults, "defaults")
        provider.inject = inject.map(\.header)
        provider.defaults = defaults.map(\.header)
        provider.pass = readPass(&map, injected: injected)
        readSecrets(
            &map, &provider, needed: needs(of: inject + defaults), areAllNeedsKnown: areAllNeedsKnown)
    }

    private func readTemplates(_ map: inout MapReader, _ key: String) -> [PlacedHeader] {
        let format = Format<Template>.text(TemplateText.parse)
        var templates: [PlacedHeader] = []
        for entry in map.entries(key, max: Bounds.headers)?.value ?? [] {
            if entry.value.isEmpty {
                reading.report(
                    entry.position, "\"\(key)\" has a header without a value; give it one, or take it out")
                continue
            }
            guard checkName(entry.key, at: entry.position, of: key) else { continue }
            guard let parts = format.read(entry.value, entry.key, reading) else { continue }
            checkLiteral(entry, parts)
            templates.append(
                PlacedHeader(
                    header: InjectedHeader(name: entry.key, value: parts), name: entry.position,
                    value: entry.value.position))
        }
        return templates
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

    /// A header that is a credential by its name, with nothing secret in it, is a secret in clear.
    private func checkLiteral(_ entry: YamlNode.Entry, _ parts: Template) {
        let isCredential = ["authorization", "cookie", "api-key", "x-api-key"]
            .contains(HeaderName.folded(entry.key))
        let hasSecret = parts.contains { if case .secret = $0 { true } else { false } }
        guard isCredential, !hasSecret, !reading.literalsAllowed else { return }
        reading.report(
            entry.value.position,
            """
            "\(entry.key)" looks like a secret in clear; put it under "secrets" as \
            \(SecretReference.forms) and write "${its_name}" here
            """)
    }

    /// Where each header is, by its folded name; a second spelling of one is reported.
    private func names(of templates: [PlacedHeader], _ key: String) -> [String: SourcePosition] {
        var places: [String: SourcePosition] = [:]
        for template in templates {
            let folded = HeaderName.folded(template.header.name)
            if let first = places[folded] {
                reading.report(
                    template.name,
                    """
                    "\(template.header.name)" is in "\(key)" twice (case, "_" and "-" make no difference), first \
                    on line \(first.line); keep one of them
                    """)
            } else {
                places[folded] = template.name
            }
        }
        return places
    }

    private func readPass(_ map: inout MapReader, injected: [String: SourcePosition]) -> [String] {
        let names = map.value("pass", .list(of: .text(HeaderName.parse), max: Bounds.headers))?.value ?? []
        var met: Set<String> = []
        for name in names {
            let lower = name.value.lowercased()
            if !met.insert(lower).inserted {
                reading.report(name.position, "\"pass\" has this header twice; keep one of them")
            } else if injected[HeaderName.folded(lower)] != nil {
                reading.report(
                    name.position,
                    """
                    "pass" lets a header through that "inject" sets, so that two would arrive; move it to \
                    "defaults", or take it out
                    """)
            }
        }
        return names.map { $0.value.lowercased() }
    }

    /// The secrets that templates name, each with the first place that does.
    private func needs(of templates: [PlacedHeader]) -> [(name: String, position: SourcePosition)] {
        var needed: [(name: String, position: SourcePosition)] = []
        var met: Set<String> = []
        for template in templates {
            for case .secret(let name) in template.header.value where met.insert(name).inserted {
                needed.append((name, template.value))
            }
        }
        return needed
    }
}
