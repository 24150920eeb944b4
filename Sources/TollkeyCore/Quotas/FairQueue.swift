/// Calls that stand in line, by tickets. Callers come in turn, so that one caller's flood does not hold up the others;
/// of one caller's calls the one that came first is served first.
///
/// Every verb takes constant time, and memory follows from `capacity`, however many have come and gone.
package struct FairQueue<Caller: Hashable & Sendable>: Sendable {
    package enum Entry: Sendable, Equatable {
        case entered
        /// The queue was full; this ticket, the newest of a caller with the most calls in line, was put out.
        case enteredInPlaceOf(ticket: UInt64)
        /// The queue is full, and nobody has more calls in line than this caller would have.
        case full
    }

    private struct Place: Sendable {
        let ticket: UInt64
        /// The slot of its caller's line.
        let line: Int
    }

    /// One caller's calls; a caller without any has no line.
    private struct Line: Sendable {
        let caller: Caller
        var places = Chain()
        /// Its slot in `ranks`.
        var rank = 0
    }

    package let capacity: Int
    private var places = ChainedSlots<Place>()
    private var lines = ChainedSlots<Line>()
    /// All lines, in front the one whose turn it is.
    private var rotation = Chain()
    /// The lines' slots once more, in a chain for each length, so that a longest line is found without a search.
    private var ranks = ChainedSlots<Int>()
    private var ranked = [Chain()]
    private var longest = 0
    private var placeOf: [UInt64: Int] = [:]
    private var lineOf: [Caller: Int] = [:]

    package init(capacity: Int) { self.capacity = capacity }

    /// Tickets in line: `capacity` at most, and those that were put back while it was full.
    package var count: Int { placeOf.count }
    package var isEmpty: Bool { placeOf.isEmpty }
    /// Callers with a ticket in line.
    package var callers: Int { rotation.count }
    /// Entries of every kind that memory is held for.
    package var allocated: Int {
        places.allocated + lines.allocated + ranks.allocated + ranked.count + placeOf.capacity
            + lineOf.capacity
    }

    /// `ticket` comes behind its caller's other calls; a caller without any comes behind the other callers. A ticket
    /// that stands in line keeps its place.
    package mutating func enter(_ ticket: UInt64, of caller: Caller) -> Entry {
        guard placeOf[ticket] == nil else { return .entered }
        guard count >= capacity else {
            append(ticket, of: caller)
            return .entered
        }
        let length = lineOf[caller].map { lines[$0].places.count } ?? 0
        guard length + 1 < longest, let newest = newestOfLongest else { return .full }
        _ = remove(newest)
        append(ticket, of: caller)
        return .enteredInPlaceOf(ticket: newest)
    }

    /// Whose turn it is; nil when nobody stands in line.
    package func peek() -> UInt64? {
        guard let line = rotation.first, let place = lines[line].places.first else { return nil }
        return places[place].ticket
    }

    /// Takes the one whose turn it is out of the line. Its caller's other calls come behind the other callers.
    package mutating func next() -> UInt64? {
        guard let line = rotation.first, let place = lines[line].places.first else { return nil }
        let ticket = places[place].ticket
        placeOf[ticket] = nil
        lines.moveLast(line, in: &rotation)
        takeOut(place, of: line)
        return ticket
    }

    /// A ticket whose turn came and that could not be served has the next turn again, also when others have filled the
    /// queue in between. Of several the one whose turn came last is put back first.
    package mutating func putBack(_ ticket: UInt64, of caller: Caller) {
        guard placeOf[ticket] == nil else { return }
        let line = line(of: caller)
        lines.moveFirst(line, in: &rotation)
        unrank(line)
        placeOf[ticket] = places.prepend(Place(ticket: ticket, line: line), to: &lines[line].places)
        rank(line)
    }

    /// Whether `ticket` stood in line. It does no more.
    package mutating func remove(_ ticket: UInt64) -> Bool {
        guard let place = placeOf.removeValue(forKey: ticket) else { return false }
        takeOut(place, of: places[place].line)
        return true
    }

    private mutating func append(_ ticket: UInt64, of caller: Caller) {
        let line = line(of: caller)
        unrank(line)
        placeOf[ticket] = places.append(Place(ticket: ticket, line: line), to: &lines[line].places)
        rank(line)
    }

    /// The caller's line; one without a call, behind the others, when there was none.
    private mutating func line(of caller: Caller) -> Int {
        if let line = lineOf[caller] { return line }
        let line = lines.append(Line(caller: caller), to: &rotation)
        lineOf[caller] = line
        return line
    }

    private mutating func takeOut(_ place: Int, of line: Int) {
        unrank(line)
        places.remove(place, from: &lines[line].places)
        if lines[line].places.count > 0 {
            rank(line)
        } else {
            lineOf[lines[line].caller] = nil
            lines.remove(line, from: &rotation)
        }
    }

    private var newestOfLongest: UInt64? {
        guard let rank = ranked[longest].first, let place = lines[ranks[rank]].places.last else { return nil }
        return places[place].ticket
    }

    /// A line's length changes between `unrank` and `rank`, by one call: so the longest length changes by one at most.
    private mutating func unrank(_ line: Int) {
        let length = lines[line].places.count
        guard length > 0 else { return }
        ranks.remove(lines[line].rank, from: &ranked[length])
        if length == longest, ranked[length].count == 0 { longest -= 1 }
    }

    private mutating func rank(_ line: Int) {
        let length = lines[line].places.count
        if length == ranked.count { ranked.append(Chain()) }
        lines[line].rank = ranks.append(line, to: &ranked[length])
        longest = max(longest, length)
    }
}
