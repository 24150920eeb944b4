/// From a path to a provider: the longest prefix of whole segments wins.
///
/// A hash table over the prefixes' bytes, probed once per segment up to the deepest prefix, so that a lookup costs
/// the same with five routes and with five thousand.
package struct RouteTable: Sendable {
    package struct Match: Sendable, Equatable {
        /// The index of the route as it was given.
        package let route: Int
        /// How many bytes of the path are the prefix.
        package let prefixLength: Int
    }

    private struct Entry: Sendable {
        let hash: UInt64
        let prefix: [UInt8]
        let route: Int
    }
    /// A power of two of them, at most half of them taken, so that every probe ends.
    private var slots: [Entry?]
    private let segmentsMax: Int

    /// Prefixes as in `ProviderSettings.route`; of two that are alike the first stays.
    package init(_ prefixes: [String]) {
        var size = 8
        while size < prefixes.count * 2 { size *= 2 }
        slots = Array(repeating: nil, count: size)
        segmentsMax = prefixes.map { $0.utf8.count { $0 == UInt8(ascii: "/") } }.max() ?? 0
        for (route, prefix) in prefixes.enumerated() {
            let bytes = Array(prefix.utf8)
            let hash = bytes.reduce(Self.seed, Self.mix)
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while let taken = slots[slot], taken.prefix != bytes { slot = (slot + 1) & (size - 1) }
            if slots[slot] == nil { slots[slot] = Entry(hash: hash, prefix: bytes, route: route) }
        }
    }

    /// `path` begins with `/`.
    package func match(_ path: Span<UInt8>) -> Match? {
        var best: Match?
        var hash = Self.seed
        var segments = 0
        for i in path.indices {
            if i > 0, path[i] == UInt8(ascii: "/") {
                if let route = find(hash, path.extracting(0..<i)) {
                    best = Match(route: route, prefixLength: i)
                }
                segments += 1
                if segments == segmentsMax { return best }
            }
            hash = Self.mix(hash, path[i])
        }
        if let route = find(hash, path) { best = Match(route: route, prefixLength: path.count) }
        return best
    }

    private func find(_ hash: UInt64, _ prefix: Span<UInt8>) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while let entry = slots[slot] {
            if entry.hash == hash, prefix.equals(entry.prefix) { return entry.route }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// FNV-1a.
    private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}
