/// The lines of a `FairQueue`, by number: one for each caller that has a call in the queue.
///
/// Apart from who the callers are, so that none of this has to be generic: calling it from another module would cost
/// several times as much then.
struct TicketLines: Sendable {
    private struct Place: Sendable {
        let ticket: UInt64
        let line: Int
    }

    private struct Line: Sendable {
        var places = Chain()
        /// Its slot in `ranks`; not while it is empty.
        var rank = 0
    }

    /// What was taken out, and the number of a line that this has ended.
    struct Taken: Sendable {
        let ticket: UInt64
        let ended: Int?
    }

    private var places = ChainedSlots<Place>()
    private var lines = ChainedSlots<Line>()
    /// All lines, in front the one whose turn it is.
    private var rotation = Chain()
    /// The lines' numbers once more, in a chain for each length, so that a longest line is found without a search.
    private var ranks = ChainedSlots<Int>()
    private var ranked = [Chain()]
    private(set) var longest = 0
    private var placeOf: [UInt64: Int] = [:]

    var count: Int { placeOf.count }
    var lineCount: Int { rotation.count }
    var allocated: Int {
        places.allocated + lines.allocated + ranks.allocated + ranked.count + placeOf.capacity
    }

    func holds(_ ticket: UInt64) -> Bool { placeOf[ticket] != nil }

    func length(of line: Int) -> Int { lines[line].places.count }

    /// The newest ticket of a line that is as long as any.
    var newestOfLongest: UInt64? {
        guard let rank = ranked[longest].first, let place = lines[ranks[rank]].places.last else { return nil }
        return places[place].ticket
    }

    /// A line behind the others, to which a ticket has to be given at once: none of the lines is empty.
    mutating func begin() -> Int { lines.append(Line(), to: &rotation) }

    mutating func append(_ ticket: UInt64, to line: Int) {
        unrank(line)
        placeOf[ticket] = places.append(Place(ticket: ticket, line: line), to: &lines[line].places)
        rank(line)
    }

    /// The rest of its line comes behind the others.
    mutating func takeFirst() -> Taken? {
        guard let line = rotation.first, let place = lines[line].places.first else { return nil }
        lines.moveLast(line, in: &rotation)
        return take(places[place].ticket)
    }

    /// nil when the ticket is not here.
    mutating func take(_ ticket: UInt64) -> Taken? {
        guard let place = placeOf.removeValue(forKey: ticket) else { return nil }
        let line = places[place].line
        unrank(line)
        places.remove(place, from: &lines[line].places)
        guard lines[line].places.count == 0 else {
            rank(line)
            return Taken(ticket: ticket, ended: nil)
        }
        lines.remove(line, from: &rotation)
        return Taken(ticket: ticket, ended: line)
    }

    /// A line's length changes between `unrank` and `rank`, by one ticket: so does the longest length, if it does.
    private mutating func unrank(_ line: Int) {
        let length = length(of: line)
        guard length > 0 else { return }
        ranks.remove(lines[line].rank, from: &ranked[length])
        if length == longest, ranked[length].count == 0 { longest -= 1 }
    }

    private mutating func rank(_ line: Int) {
        let length = length(of: line)
        if length == ranked.count { ranked.append(Chain()) }
        lines[line].rank = ranks.append(line, to: &ranked[length])
        longest = max(longest, length)
    }
}
