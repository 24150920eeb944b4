import TollkeyCore

/// Which categories have calls, where `allow` names few and other categories are more specific.
struct CategoryReach {
    private let categories: [CategorySettings]
    private let allow: [CallPattern]
    private let table: CategoryTable
    /// Segments of the longest pattern.
    private let depth: Int

    init(_ categories: [CategorySettings], allow: [CallPattern]) {
        self.categories = categories
        self.allow = allow.filter(\.canBeForwarded)
        table = CategoryTable(categories)
        depth = categories.lazy.flatMap(\.match).map(\.segments.count).max() ?? 0
    }

    /// A category in which calls count that the one at `index` is for, when `allow` lets pass no other call of it; nil
    /// when there is one, or may be.
    func taker(of index: Int) -> String? {
        var found: String?
        for pattern in categories[index].match where pattern.canBeForwarded {
            for allowed in allow {
                guard let calls = pattern.intersection(allowed) else { continue }
                guard let other = taker(of: calls, besides: index) else { return nil }
                found = other
            }
        }
        return found
    }

    /// A pattern that means all of `calls`, and is the most specific one for a call whose every wildcard is something
    /// that no pattern names, is more specific for all of them.
    private func taker(of calls: CallPattern, besides index: Int) -> String? {
        let isLong = calls.segments.last == .rest
        for rest in isLong ? [depth + 1, 0] : [0] {
            let (method, path) = Self.sample(of: calls, rest: rest)
            guard let match = table.match(method: method.span, path: path.span), match.category != index,
                match.pattern.covers(calls)
            else { continue }
            return categories[match.category].name
        }
        return nil
    }

    private static func sample(of calls: CallPattern, rest: Int) -> (method: [UInt8], path: [UInt8]) {
        // In no pattern's text: see `CallPattern.parse`.
        let unnamed: [UInt8] = [0]
        var path: [UInt8] = []
        for segment in calls.segments {
            let parts =
                switch segment {
                case .text(let text): [text]
                case .one: [unnamed]
                case .rest: Array(repeating: unnamed, count: rest)
                }
            for part in parts { path += [UInt8(ascii: "/")] + part }
        }
        return (calls.method ?? unnamed, path.isEmpty ? [UInt8(ascii: "/")] : path)
    }
}
