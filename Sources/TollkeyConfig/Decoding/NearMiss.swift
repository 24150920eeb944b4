/// What somebody probably meant: the known word at the least edit distance.
package enum NearMiss {
    /// The nearest of `known` if it is near enough, up to a third of its letters wrong; nil for a perfect
    /// match.
    package static func of(_ word: String, among known: [String]) -> String? {
        let letters = folded(word)
        guard letters.count <= Bounds.nameLength else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in known where candidate != word {
            let other = folded(candidate)
            let allowed = max(1, max(letters.count, other.count) / 3)
            guard abs(letters.count - other.count) <= allowed else { continue }
            let distance = distance(letters, other)
            // One letter for another is no near miss.
            guard distance <= allowed, distance < other.count else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// `; did you mean "timeouts"?` or nothing, to follow a clause.
    package static func hint(for word: String, among known: [String]) -> String {
        guard let near = of(word, among: known) else { return "" }
        return "; did you mean \"\(near)\"?"
    }

    /// Lower case, `-` for `_`: `idle-timeout` and `Idle_Timeout` are as good as right.
    private static func folded(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [Int](repeating: i, count: b.count + 1)
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
