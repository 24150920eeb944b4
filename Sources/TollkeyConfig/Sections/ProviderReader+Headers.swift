import TollkeyCore

extension ProviderReader {
    /// `inject`, `defaults`, `inject_query` and `pass`.
    func readHeaders(_ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names) {
        let reader = HeaderReader(names: names)
        let inject = reader.read(&map, "inject", reach: .forwarded)
        let injected = reader.places(of: inject, "inject")
        // What the user sets always lies over what a description sets sometimes.
        let defaults = reader.read(&map, "defaults", reach: .forwarded).filter { header in
            guard let over = injected[HeaderName.folded(header.header.name)] else { return true }
            let isLaidOver = over.file == reading.file && header.position.file != reading.file
            if !isLaidOver {
                reading.report(
                    header.position,
                    "\"\(header.header.name)\" is in \"inject\" too, which always sets it; keep one of them")
            }
            return !isLaidOver
        }
        _ = reader.places(of: defaults, "defaults")
        provider.inject = inject.map(\.header)
        provider.defaults = defaults.map(\.header)
        provider.injectQuery = names.fields(&map, "inject_query", reach: .forwarded)
        provider.pass = readPass(&map, injected: injected)
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
}
