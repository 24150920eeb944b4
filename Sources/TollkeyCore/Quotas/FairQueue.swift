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

    package let capacity: Int
    private var lines = TicketLines()
    private var lineOf: [Caller: Int] = [:]
    /// By a line's number; nil where there is none.
    private var callerOf: [Caller?] = []

    package init(capacity: Int) { self.capacity = capacity }

    /// Tickets in line: `capacity` at most.
    package var count: Int { lines.count }
    package var isEmpty: Bool { lines.count == 0 }
    /// Entries of every kind that memory is held for.
    package var allocated: Int { lines.allocated + lineOf.capacity + callerOf.count }

    /// `ticket` comes behind its caller's other calls; a caller without any comes behind the other callers. A ticket
    /// that stands in line keeps its place.
    package mutating func enter(_ ticket: UInt64, of caller: Caller) -> Entry {
        guard !lines.holds(ticket) else { return .entered }
        guard count >= capacity else {
            lines.append(ticket, to: line(of: caller))
            return .entered
        }
        let length = lineOf[caller].map { lines.length(of: $0) } ?? 0
        guard length + 1 < lines.longest, let newest = lines.newestOfLongest else { return .full }
        _ = remove(newest)
        lines.append(ticket, to: line(of: caller))
        return .enteredInPlaceOf(ticket: newest)
    }

    /// How many come before a ticket that `caller` would enter now, at the least: of another caller's calls one is
    /// counted.
    package func turnsAhead(of caller: Caller) -> Int {
        guard let line = lineOf[caller] else { return lines.lineCount }
        return lines.length(of: line) + lines.lineCount - 1
    }

    /// Takes the one whose turn it is out of the line. Its caller's other calls come behind the other callers.
    package mutating func next() -> UInt64? {
        guard let taken = lines.takeFirst() else { return nil }
        forget(taken.ended)
        return taken.ticket
    }

    /// Whether `ticket` stood in line. It does no more.
    package mutating func remove(_ ticket: UInt64) -> Bool {
        guard let taken = lines.take(ticket) else { return false }
        forget(taken.ended)
        return true
    }

    private mutating func line(of caller: Caller) -> Int {
        if let line = lineOf[caller] { return line }
        let line = lines.begin()
        lineOf[caller] = line
        if line == callerOf.count { callerOf.append(caller) } else { callerOf[line] = caller }
        return line
    }

    private mutating func forget(_ line: Int?) {
        guard let line, let caller = callerOf[line] else { return }
        lineOf[caller] = nil
        callerOf[line] = nil
    }
}
