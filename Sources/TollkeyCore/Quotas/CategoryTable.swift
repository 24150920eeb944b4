/// From a call to its category: the most specific pattern of all decides.
///
/// Segment by segment a text is more specific than `*`, and `*` than `**`; between alike paths a method is more than
/// any. Of two that are the same the first stays.
package struct CategoryTable: Sendable {
    package struct Match: Sendable, Equatable {
        /// The index of the category as it was given.
        package let category: Int
        package let pattern: CallPattern
    }

    private let patterns: [Match]

    package init(_ categories: [CategorySettings]) {
        patterns = categories.enumerated().flatMap { index, category in
            category.match.map { Match(category: index, pattern: $0) }
        }
    }

    /// `path` is what lies behind the route, `/` for the route alone.
    package func match(method: Span<UInt8>, path: Span<UInt8>) -> Match? {
        var best: Match?
        for candidate in patterns where candidate.pattern.matches(method: method, path: path) {
            if best.map({ Self.isMoreSpecific(candidate.pattern, than: $0.pattern) }) ?? true {
                best = candidate
            }
        }
        return best
    }

    /// For two patterns that mean the same call.
    private static func isMoreSpecific(_ one: CallPattern, than other: CallPattern) -> Bool {
        for index in 0..<max(one.segments.count, other.segments.count) {
            let (a, b) = (rank(one, index), rank(other, index))
            if a != b { return a > b }
        }
        return one.method != nil && other.method == nil
    }

    private static func rank(_ pattern: CallPattern, _ index: Int) -> Int {
        guard index < pattern.segments.count else { return 1 }
        switch pattern.segments[index] {
        case .text: return 3
        case .one: return 2
        case .rest: return 0
        }
    }
}
