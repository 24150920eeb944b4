import TollkeyCore

/// One route inside another, and bases of all kinds.
private let providers: [ProviderSettings] = [
    ("/acme", ""), ("/acme/deep", "/api/v2"), ("/pay", "/v1"), ("/pay/a/b", "/x/y/z"), ("/p", "/%7Ebase"),
].map { route, base in acme(base: base) { $0.route = route } }

private let admission: Admission = {
    var settings = Settings()
    settings.providers = providers
    return Admission(settings, hostNames: [])
}()

/// `METHOD TARGET` on the first line, patterns of categories on further ones.
///
/// A target that is admitted goes to the longest route of whole segments; it is its own normal form, and stays below its
/// provider's base also where a server decodes it first and normalises it then. The categories' table decides as every
/// pattern held against the call would.
func checkRoute(_ input: [UInt8]) throws(Broken) {
    let lines = input.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
    let all = lines[0] + bytes(" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    var head = RequestHead()
    guard (try? head.read(all.span, limits: ClientLimits())) == true, head.end == all.count else { return }
    let path = Array(all[head.target.path])
    let method = Array(all[head.method])
    if path.first == UInt8(ascii: "/") {
        try must(normalised(path, decodings: 0) == path, "its path is not its own normal form")
        try checkCategories(lines.dropFirst().prefix(40).map { text($0) }, method, path)
    }
    guard case .admitted(let match) = admission.decide(head, all.span, peer: nil) else { return }
    if let authority = head.target.authority {
        try must(text(all[authority]).lowercased() == "localhost", "another host is admitted")
    }
    try must(isLongest(match, path), "it goes to another route than the longest")
    let provider = providers[match.route]
    let out = Buffer(capacity: 512)
    let credential = CredentialSnapshot(generation: 1, headers: [], secrets: [:])
    try? RequestRewriter(provider, pseudonym: "p").write(
        head, all.span, prefixLength: match.prefixLength, credential: credential, into: out)
    let target = Array(out.readable).split(separator: 0x20, maxSplits: 2)[1]
    let base = Array(provider.upstream.basePath.utf8)
    let rest = path.dropFirst(match.prefixLength)
    let expected = base + rest + (base.isEmpty && rest.isEmpty ? bytes("/") : []) + all[head.target.query]
    try must(target.elementsEqual(expected), "it is forwarded as \(text(target))")
    let sent = Array(target.prefix { $0 != UInt8(ascii: "?") })
    for decodings in 0...1 {
        let path = normalised(sent, decodings: decodings)
        let root = normalised(base, decodings: decodings)
        let isBelow = path == root || path.starts(with: root + bytes("/"))
        try must(isBelow, "decoded \(decodings) times, it leaves the base as \(text(path))")
    }
}

/// Without dot segments (RFC 3986 §5.2.4); when decoded first, as the most careless of servers would read it: with
/// backslashes as slashes, and without parameters.
private func normalised(_ path: [UInt8], decodings: Int) -> [UInt8] {
    var path = path
    for _ in 0..<decodings { path = decoded(path) }
    if decodings > 0 { path = path.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 } }
    var kept: [[UInt8]] = []
    let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
        Array($0)
    }
    for (index, segment) in segments.enumerated() {
        let name = decodings > 0 ? Array(segment.prefix { $0 != UInt8(ascii: ";") }) : segment
        let isLast = index == segments.count - 1
        if name == bytes("..") {
            if kept.count > 1 { kept.removeLast() }
            if isLast { kept.append([]) }
        } else if name == bytes(".") {
            if isLast { kept.append([]) }
        } else {
            kept.append(segment)
        }
    }
    return Array(kept.joined(separator: [UInt8(ascii: "/")]))
}

private func decoded(_ path: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var i = 0
    while i < path.count {
        if path[i] == UInt8(ascii: "%"), i + 2 < path.count,
            let byte = UInt8(text(path[i + 1...i + 2]), radix: 16)
        {
            out.append(byte)
            i += 3
        } else {
            out.append(path[i])
            i += 1
        }
    }
    return out
}

private func isLongest(_ match: RouteTable.Match, _ path: [UInt8]) -> Bool {
    let prefixes = providers.map { Array($0.route.utf8) }
    let fitting = prefixes.filter { path == $0 || path.starts(with: $0 + bytes("/")) }
    let longest = fitting.max { $0.count < $1.count }
    return prefixes[match.route] == longest && match.prefixLength == longest?.count
}

// MARK: Categories

private func checkCategories(_ lines: [String], _ method: [UInt8], _ path: [UInt8]) throws(Broken) {
    var patterns: [CallPattern] = []
    var categories: [CategorySettings] = []
    for line in lines {
        guard let pattern = try? CallPattern(line) else { continue }
        try must((try? CallPattern(pattern.text)) == pattern, "a pattern is another when written anew")
        patterns.append(pattern)
        var category = CategorySettings(name: "c")
        category.match = [pattern]
        categories.append(category)
    }
    let match = CategoryTable(categories).match(method: method.span, path: path.span)
    let expected = mostSpecific(categories, method, path)
    try must(
        match?.category == expected?.category && match?.pattern == expected?.pattern,
        "it is in another category than the most specific")
    let meant = patterns.map { $0.matches(method: method.span, path: path.span) }
    for (a, isMeantByA) in zip(patterns, meant).prefix(8) {
        for (b, isMeantByB) in zip(patterns, meant).prefix(8) {
            let isMeantByBoth = a.intersection(b)?.matches(method: method.span, path: path.span) ?? false
            try must(isMeantByBoth == (isMeantByA && isMeantByB), "what two patterns share is something else")
            try must(a.overlaps(b) == b.overlaps(a), "only one of two patterns overlaps the other")
            if a.covers(b), isMeantByB { try must(isMeantByA, "a pattern does not cover what it says") }
        }
    }
}

/// Every pattern held against the call, the most specific taken.
func mostSpecific(
    _ categories: [CategorySettings], _ method: [UInt8], _ path: [UInt8]
) -> (category: Int, pattern: CallPattern)? {
    var best: (category: Int, pattern: CallPattern)?
    for (index, category) in categories.enumerated() {
        for pattern in category.match where pattern.matches(method: method.span, path: path.span) {
            if let held = best, !isMoreSpecific(pattern, than: held.pattern) { continue }
            best = (index, pattern)
        }
    }
    return best
}

private func isMoreSpecific(_ a: CallPattern, than b: CallPattern) -> Bool {
    for i in 0..<max(a.segments.count, b.segments.count) {
        let (left, right) = (rank(a.segments, i), rank(b.segments, i))
        if left != right { return left < right }
    }
    return a.method != nil && b.method == nil
}

private func rank(_ segments: [CallPattern.Segment], _ index: Int) -> Int {
    guard index < segments.count else { return 0 }
    return switch segments[index] {
    case .text: 0
    case .one: 1
    case .rest: 2
    }
}
