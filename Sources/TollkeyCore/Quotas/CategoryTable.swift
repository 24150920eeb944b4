/// From a call to its category: of all patterns that mean the call, as `CallPattern.matches` says, the most specific.
///
/// Patterns are compared segment by segment from the left: text before `*` before `**`. Of two with the same path the
/// one that names the method comes first. Where the most specific path has no pattern for the method, the next one that
/// has decides.
///
/// A trie over segments whose edges are hashed: what a match costs follows from the path, not from the number of
/// categories.
package struct CategoryTable: Sendable {
    package struct Match: Sendable, Equatable {
        /// The index of the category as it was given.
        package let category: Int
        package let pattern: CallPattern
    }

    /// What stands before `node`'s place, and what it offers.
    private struct Node: Sendable {
        /// Negative at the root.
        var parent: Int32
        /// Whether `*` leads here from there, and not text.
        var isOne: Bool
        var hasTexts = false
        /// Where `*` leads; negative without one.
        var one: Int32 = -1
        /// Patterns whose path ends here.
        var end = Calls()
        /// Patterns that go on with `**`.
        var rest = Calls()
    }

    /// The patterns of one path.
    private struct Calls: Sendable {
        /// The one for any method; negative without one.
        var any: Int32 = -1
        /// Whether some are for one method: those are among the edges.
        var hasMethods = false
    }

    /// What an edge's bytes are. A place in the table of edges is a node and one of these.
    private enum Edge: Int {
        case text, endMethod, restMethod
        static let kinds = 3
    }

    private var matches: [Match] = []
    private var nodes = [Node(parent: -1, isOne: false)]
    private var edges = EdgeTable()

    /// Of two patterns that are alike the first stays.
    package init(_ categories: [CategorySettings]) {
        for (index, category) in categories.enumerated() {
            for pattern in category.match { insert(Match(category: index, pattern: pattern)) }
        }
    }

    private mutating func insert(_ match: Match) {
        var node = 0
        var edge = Edge.endMethod
        for segment in match.pattern.segments {
            switch segment {
            case .text(let text): node = insertText(text, at: node)
            case .one: node = insertOne(at: node)
            case .rest: edge = .restMethod
            }
        }
        let calls = edge == .restMethod ? \Node.rest : \Node.end
        if let method = match.pattern.method {
            let place = Self.place(node, edge)
            guard edges.insert(place: place, key: method, target: matches.count) == matches.count else {
                return
            }
            nodes[node][keyPath: calls].hasMethods = true
        } else {
            guard nodes[node][keyPath: calls].any < 0 else { return }
            nodes[node][keyPath: calls].any = Int32(truncatingIfNeeded: matches.count)
        }
        matches.append(match)
    }

    private mutating func insertText(_ text: [UInt8], at node: Int) -> Int {
        let child = edges.insert(place: Self.place(node, .text), key: text, target: nodes.count)
        if child == nodes.count {
            nodes[node].hasTexts = true
            nodes.append(Node(parent: Int32(truncatingIfNeeded: node), isOne: false))
        }
        return child
    }

    private mutating func insertOne(at node: Int) -> Int {
        if nodes[node].one < 0 {
            nodes[node].one = Int32(truncatingIfNeeded: nodes.count)
            nodes.append(Node(parent: Int32(truncatingIfNeeded: node), isOne: true))
        }
        return Int(nodes[node].one)
    }

    @inline(__always)
    private static func place(_ node: Int, _ edge: Edge) -> Int { node * Edge.kinds + edge.rawValue }

    /// `path` begins with `/` and is what stands behind the route, without query.
    package func match(method: Span<UInt8>, path: Span<UInt8>) -> Match? {
        find(method, path).map { matches[$0] }
    }

    /// The index of the category; as `match`, without a look at the pattern.
    package func category(method: Span<UInt8>, path: Span<UInt8>) -> Int? {
        find(method, path).map { matches[$0].category }
    }

    /// Down along text first, then along `*`; on the way up, what `**` there takes in.
    ///
    /// How far it may have to come back is bounded: a node is entered by one edge only and left upwards once, so that
    /// no node is met twice. On each level these are at most twice as many as on the one above, and twice only where
    /// text and `*` both fit; a pattern set has to be made for it to be met by more than a few.
    ///
    /// The way back is read from the path and the nodes' parents: no stack, whatever a path's length.
    private func find(_ method: Span<UInt8>, _ path: Span<UInt8>) -> Int? {
        var node = 0
        // Where the next segment begins: behind the first slash. Beyond the path's end there is none.
        var start = 1
        while true {
            if start > path.count {
                if let found = pattern(nodes[node].end, node, .endMethod, method) { return found }
            } else if let child = child(of: node, path, &start) {
                node = child
                continue
            }
            guard let turn = ascend(from: node, method, path, &start) else { return nil }
            switch turn {
            case .found(let pattern): return pattern
            case .down(let child): node = child
            }
        }
    }

    /// The most specific child that the segment at `start` leads to; `start` is the next segment's then.
    @inline(__always)
    private func child(of node: Int, _ path: Span<UInt8>, _ start: inout Int) -> Int? {
        guard nodes[node].hasTexts || nodes[node].one >= 0 else { return nil }
        var hash = EdgeTable.seed
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") {
            hash = EdgeTable.mix(hash, path[end])
            end += 1
        }
        var child: Int?
        if nodes[node].hasTexts {
            child = edges.find(place: Self.place(node, .text), hash: hash, key: path.extracting(start..<end))
        }
        if child == nil, end > start, nodes[node].one >= 0 { child = Int(nodes[node].one) }
        if child != nil { start = end + 1 }
        return child
    }

    private enum Turn {
        /// The index of a match.
        case found(Int)
        /// A node that has not been met.
        case down(Int)
    }

    /// Up from a node below which nothing was found, `start` being the segment behind it; nil at the root's end.
    private func ascend(
        from node: Int, _ method: Span<UInt8>, _ path: Span<UInt8>, _ start: inout Int
    ) -> Turn? {
        var node = node
        while true {
            if let found = pattern(nodes[node].rest, node, .restMethod, method) { return .found(found) }
            guard nodes[node].parent >= 0 else { return nil }
            let end = start - 1
            start = end
            while start > 1, path[start - 1] != UInt8(ascii: "/") { start -= 1 }
            let hadText = !nodes[node].isOne
            node = Int(nodes[node].parent)
            if hadText, end > start, nodes[node].one >= 0 {
                start = end + 1
                return .down(Int(nodes[node].one))
            }
        }
    }

    @inline(__always)
    private func pattern(_ calls: Calls, _ node: Int, _ edge: Edge, _ method: Span<UInt8>) -> Int? {
        if calls.hasMethods {
            var hash = EdgeTable.seed
            for i in method.indices { hash = EdgeTable.mix(hash, method[i]) }
            if let found = edges.find(place: Self.place(node, edge), hash: hash, key: method) { return found }
        }
        return calls.any >= 0 ? Int(calls.any) : nil
    }
}
