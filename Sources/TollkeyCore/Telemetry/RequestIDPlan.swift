/// Places in JSON, taken apart so that many can be followed at once. A set of places is a byte, the first place in its
/// lowest bit.
final class RequestIDPlan: Sendable {
    /// One step of one place: a member's name in `names`, or an element.
    private struct Step: Sendable {
        var start = 0
        var count = 0
        /// -1 for a member.
        var element = -1
    }
    /// `JSONValue.depthMax` for each place.
    private let steps: [Step]
    private let names: [UInt8]
    /// The places that have so many steps.
    private let lengths: [UInt8]
    private let all: UInt8

    /// Nil when none of them is in JSON.
    init?(_ places: [AnswerPlace]) {
        let depthMax = JSONValue.depthMax
        var steps = Array(repeating: Step(), count: places.count * depthMax)
        var names: [UInt8] = []
        var lengths = [UInt8](repeating: 0, count: depthMax + 1)
        for (rank, place) in places.enumerated() {
            guard case .json(let path) = place, (1...depthMax).contains(path.count) else { continue }
            lengths[path.count] |= 1 << UInt8(rank)
            for (depth, step) in path.enumerated() {
                switch step {
                case .member(let name):
                    steps[rank * depthMax + depth] = Step(start: names.count, count: name.utf8.count)
                    names += Array(name.utf8)
                case .element(let index): steps[rank * depthMax + depth].element = index
                }
            }
        }
        all = lengths.reduce(0, |)
        if all == 0 { return nil }
        (self.steps, self.names, self.lengths) = (steps, names, lengths)
    }

    /// Those that win over the place of this rank.
    func places(before rank: Int) -> UInt8 { rank >= 8 ? all : all & (1 << UInt8(rank) - 1) }

    /// Of `places`, those that end where so many steps have been made.
    func ending(_ places: UInt8, after depth: Int) -> UInt8 { places & lengths[depth] }

    /// Of `places`, which have all gone `depth` steps, those that go on to the member `name`.
    func members(_ places: UInt8, at depth: Int, named name: Span<UInt8>) -> UInt8 {
        var found: UInt8 = 0
        var rest = places
        next: while rest != 0 {
            let rank = rest.trailingZeroBitCount
            rest &= rest &- 1
            let step = steps[rank * JSONValue.depthMax + depth]
            guard step.element < 0, step.count == name.count else { continue }
            for i in name.indices where names[step.start + i] != name[i] { continue next }
            found |= 1 << UInt8(rank)
        }
        return found
    }

    func elements(_ places: UInt8, at depth: Int, index: Int) -> UInt8 {
        var found: UInt8 = 0
        var rest = places
        while rest != 0 {
            let rank = rest.trailingZeroBitCount
            rest &= rest &- 1
            if steps[rank * JSONValue.depthMax + depth].element == index { found |= 1 << UInt8(rank) }
        }
        return found
    }
}
