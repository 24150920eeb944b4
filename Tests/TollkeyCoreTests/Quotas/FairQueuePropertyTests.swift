import Testing
import TollkeyCore

struct FairQueuePropertyTests {
    /// The same rules over plain arrays.
    private struct Model {
        var lines: [(caller: Int, tickets: [UInt64])] = []
        var count: Int { lines.reduce(0) { $0 + $1.tickets.count } }
        var longest: Int { lines.map(\.tickets.count).max() ?? 0 }

        func index(of caller: Int) -> Int? { lines.firstIndex { $0.caller == caller } }

        func length(of caller: Int) -> Int { index(of: caller).map { lines[$0].tickets.count } ?? 0 }

        mutating func append(_ ticket: UInt64, of caller: Int) {
            if let index = index(of: caller) {
                lines[index].tickets.append(ticket)
            } else {
                lines.append((caller, [ticket]))
            }
        }

        mutating func next() -> UInt64? {
            guard !lines.isEmpty else { return nil }
            var line = lines.removeFirst()
            let ticket = line.tickets.removeFirst()
            if !line.tickets.isEmpty { lines.append(line) }
            return ticket
        }

        mutating func remove(_ ticket: UInt64) -> Bool {
            guard let index = lines.firstIndex(where: { $0.tickets.contains(ticket) }) else { return false }
            lines[index].tickets.removeAll { $0 == ticket }
            if lines[index].tickets.isEmpty { lines.remove(at: index) }
            return true
        }

        /// Of the lines that are the longest, whether `ticket` is the last in one.
        func isNewestOfLongest(_ ticket: UInt64) -> Bool {
            lines.contains { $0.tickets.count == longest && $0.tickets.last == ticket }
        }
    }

    @Test(arguments: [(1, 3), (5, 2), (12, 4), (60, 25)])
    func `whatever happens, the queue holds whom it should, in the order it should`(
        _ capacity: Int, _ callers: Int
    ) {
        var dice = Dice(seed: UInt64(capacity))
        var queue = FairQueue<Int>(capacity: capacity)
        var model = Model()
        var newest: UInt64 = 0
        for step in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &dice) {
            case 0..<5:
                newest += 1
                // Low numbers more often: somebody has the most.
                let caller = Int.random(in: 0...Int.random(in: 0..<callers, using: &dice), using: &dice)
                #expect(enter(newest, caller, &queue, &model), "\(step)")
            case 5..<7:
                #expect(queue.next() == model.next(), "\(step)")
            default:
                let ticket = UInt64.random(in: 0...newest, using: &dice)
                #expect(queue.remove(ticket) == model.remove(ticket), "\(step)")
            }
            guard queue.count == model.count, queue.count <= capacity,
                queue.turnsAhead(of: -1) == model.lines.count
            else {
                Issue.record("\(step): \(queue.count), \(model.lines)")
                return
            }
        }
        while let expected = model.next() { #expect(queue.next() == expected) }
        #expect(queue.isEmpty)
    }

    /// Whether the queue does with the ticket what the rules say; of equally long lines it may choose any.
    private func enter(_ ticket: UInt64, _ caller: Int, _ queue: inout FairQueue<Int>, _ model: inout Model)
        -> Bool
    {
        let isFull = model.count >= queue.capacity
        let mayPutOut = model.length(of: caller) + 1 < model.longest
        switch queue.enter(ticket, of: caller) {
        case .entered: guard !isFull else { return false }
        case .full: return isFull && !mayPutOut
        case .enteredInPlaceOf(let out):
            guard isFull, mayPutOut, model.isNewestOfLongest(out), model.remove(out) else { return false }
        }
        model.append(ticket, of: caller)
        return true
    }

    @Test func `a caller with one call is served within as many turns as there are callers`() {
        var dice = Dice(seed: 51)
        for _ in 0..<50 {
            var queue = FairQueue<Int>(capacity: 2_000)
            let callers = Int.random(in: 1...20, using: &dice)
            var ticket: UInt64 = 0
            for _ in 0..<1_000 {
                ticket += 1
                _ = queue.enter(ticket, of: Int.random(in: 0..<callers, using: &dice))
            }
            for _ in 0..<Int.random(in: 0..<50, using: &dice) { _ = queue.next() }
            let turns = queue.turnsAhead(of: -1) + 1
            #expect(queue.enter(.max, of: -1) == .entered)
            let served = (1...turns).first { _ in
                ticket += 1
                _ = queue.enter(ticket, of: Int.random(in: 0..<callers, using: &dice))
                return queue.next() == .max
            }
            #expect(served == turns)
        }
    }

    @Test func `however many come and go, they leave nothing behind`() {
        var queue = FairQueue<UInt64>(capacity: 16)
        for ticket in 0..<200_000 as Range<UInt64> {
            _ = queue.enter(ticket, of: ticket % 1_000)
            if ticket >= 8 { _ = ticket % 3 == 0 ? queue.remove(ticket - 8) : queue.next() != nil }
        }
        #expect(queue.count <= 16)
        #expect(queue.allocated < 200)
        while queue.next() != nil {}
        #expect(queue.allocated < 200)
    }

    @Test func `a full queue of sixteen thousand gives way ticket by ticket until all have as many`() {
        let capacity = 16_384
        var queue = FairQueue<Int>(capacity: capacity)
        for ticket in 0..<UInt64(capacity) { #expect(queue.enter(ticket, of: 0) == .entered) }
        for caller in 1..<capacity {
            let entry = queue.enter(UInt64(capacity + caller), of: caller)
            guard entry == .enteredInPlaceOf(ticket: UInt64(capacity - caller)) else {
                Issue.record("\(caller): \(entry)")
                return
            }
        }
        #expect(queue.turnsAhead(of: -1) == capacity)
        #expect(queue.enter(.max, of: -1) == .full)
        #expect(queue.allocated < capacity * 10)
    }
}
