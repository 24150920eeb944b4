import TollkeyCore

extension ProviderReader {
    /// `categories`: which calls share which limits.
    func readCategories(_ map: inout MapReader, _ provider: inout ProviderSettings, allowIsKnown: Bool) {
        let owner = map.place(of: "allow")
        let allow = allowIsKnown ? provider.allow : nil
        var known: [CallPattern: KnownPattern] = [:]
        var categories: [CategorySettings] = []
        var places: [SourcePosition?] = []
        map.maps("categories", max: Bounds.categories, of: "a category") { name, map in
            var category = CategorySettings(name: name)
            let patterns = readMatch(&map)
            category.match = patterns.map(\.value)
            category.limits = readLimits(&map)
            map.set(&category.onLimit, "on_limit", .choice(of: CategorySettings.OnLimit.allCases))
            map.set(&category.waitMax, "wait_max", .duration(in: Bounds.categoryWait))
            map.set(&category.waiting, "waiting", .number(in: Bounds.categoryWaiting))
            map.set(&category.retryAfterMax, "retry_after_max", .duration(in: Bounds.retryAfterMax))
            checkWaiting(category, map)
            for pattern in patterns { checkOnce(pattern, of: name, &known) }
            var isReached = true
            if let place = map.place {
                isReached = checkReach(category, at: place, allow: allow, allowedAt: owner)
            }
            categories.append(category)
            places.append(isReached ? map.place : nil)
        }
        provider.categories = categories
        checkTakers(provider, at: places, allow: allow)
    }

    /// Whose a pattern is.
    private struct KnownPattern {
        var category: String
        var position: SourcePosition
    }

    private func readMatch(_ map: inout MapReader) -> [Placed<CallPattern>] {
        let format = Format<[Placed<CallPattern>]>.list(
            of: .text(CallPattern.parse), least: 1, max: Bounds.categoryPatterns)
        let match = map.value("match", format)
        if let place = map.place, !map.has("match") {
            reading.report(
                place, "a category needs \"match\"; say which calls it is for, as in match: \"GET /**\"")
        }
        return match?.value ?? []
    }

    /// One limit, a list of them, or `none`.
    private func readLimits(_ map: inout MapReader) -> [LimitSettings] {
        let some = Format<[Placed<LimitSettings>]>.list(
            of: .text { text throws(Misfit) in try LimitSettings(parsing: text) }, least: 1,
            max: Bounds.categoryLimits)
        let format = Format<[Placed<LimitSettings>]> { node, key, reading in
            node.text == "none" ? [] : some.read(node, key, reading)
        }
        let limits = map.value("limit", format)?.value ?? []
        for (index, limit) in limits.enumerated() {
            if limits[..<index].contains(where: { $0.value.window == limit.value.window }) {
                reading.report(
                    limit.position, "\"limit\" has two for windows of one length; keep the stricter one")
            } else if let other = limits.first(where: { limit.value.isImplied(by: $0.value) }) {
                reading.report(
                    limit.position,
                    """
                    "limit" has \(limit.value.text), which can never be reached beside \(other.value.text); take it \
                    out, or lower it
                    """)
            }
        }
        return limits.map(\.value)
    }

    private func checkWaiting(_ category: CategorySettings, _ map: MapReader) {
        guard category.onLimit == .wait else { return }
        for (key, isNothing) in [("wait_max", category.waitMax == .zero), ("waiting", category.waiting == 0)]
        where isNothing {
            guard let place = map.place(of: key) else { continue }
            reading.report(
                place, "\"\(key)\" lets no call wait, and \"on_limit\" says wait; raise it, or say reject")
        }
    }

    private func checkOnce(
        _ pattern: Placed<CallPattern>, of category: String, _ known: inout [CallPattern: KnownPattern]
    ) {
        let met = KnownPattern(category: category, position: pattern.position)
        guard let first = known[pattern.value] else {
            known[pattern.value] = met
            return
        }
        guard first.category != category else {
            reading.report(pattern.position, "\"match\" has this pattern twice; keep one of them")
            return
        }
        // A description's line cannot be changed; the user's can, wherever it comes in the order.
        let isUsers = pattern.position.file == reading.file || first.position.file != reading.file
        let (here, there) = isUsers ? (met, first) : (first, met)
        let remedy =
            there.position.file == reading.file
            ? "keep one of them"
            : "take this one out, or that category away with categories: {\(there.category): ~}"
        reading.report(
            here.position,
            """
            "match" has a pattern of the category "\(there.category)" too, at \(there.position), and a call counts \
            in one; \(remedy)
            """)
    }

    /// Whether there is a call of it at all, as far as `allow` tells, which is nil for everything.
    private func checkReach(
        _ category: CategorySettings, at place: SourcePosition, allow: [CallPattern]?,
        allowedAt owner: SourcePosition?
    ) -> Bool {
        guard !category.match.isEmpty else { return false }
        let forwarded = category.match.filter(\.canBeForwarded)
        guard !forwarded.isEmpty else {
            reading.report(
                place,
                """
                no call can reach the category "\(category.name)": TRACE and CONNECT are never forwarded; take it out
                """)
            return false
        }
        guard let allow, !forwarded.contains(where: { $0.overlaps(oneOf: allow) }) else { return true }
        // Who allows less than the description has categories for has made no mistake.
        if let owner, owner.file == reading.file, place.file != reading.file { return false }
        reading.report(
            place,
            """
            no call can reach the category "\(category.name)": "allow" has no pattern for any call that it is for; \
            add one there, or take the category out
            """)
        return false
    }

    /// Categories of the user's whose every call counts in another one. Calls of the proxy's own need no `allow`: where
    /// there are any, nothing is known.
    private func checkTakers(
        _ provider: ProviderSettings, at places: [SourcePosition?], allow: [CallPattern]?
    ) {
        guard let allow, !provider.mayUseState, provider.probe == nil else { return }
        let reach = CategoryReach(provider.categories, allow: allow)
        for (index, place) in places.enumerated() {
            guard let place, place.file == reading.file, let taker = reach.taker(of: index) else { continue }
            reading.report(
                place,
                """
                no call can reach the category "\(provider.categories[index].name)": what "allow" has of it counts in \
                "\(taker)", which is more specific; add to "allow", or take the category out
                """)
        }
    }
}

extension CallPattern {
    fileprivate func overlaps(oneOf others: [CallPattern]) -> Bool {
        others.contains { $0.canBeForwarded && overlaps($0) }
    }
}

extension LimitSettings {
    /// Whether `other` alone keeps this one too: as many of its windows as cover this one let no more calls through.
    fileprivate func isImplied(by other: LimitSettings) -> Bool {
        guard other.window != window else { return false }
        let (length, part) = (TimeSpan(window).nanoseconds, TimeSpan(other.window).nanoseconds)
        return Int64(other.count) * ((length + part - 1) / part) <= Int64(count)
    }
}
