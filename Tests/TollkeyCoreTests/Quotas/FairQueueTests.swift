import Testing
import TollkeyCore

struct FairQueueTests {
    typealias Queue = FairQueue<String>

    private func queue(capacity: Int, _ entries: [(UInt64, String)]) -> Queue {
        var queue = Queue(capacity: capacity)
        for (ticket, caller) in entries { #expect(queue.enter(ticket, of: caller) == .entered) }
        return queue
    }

    private func drain(_ queue: Queue) -> [UInt64] {
        var queue = queue
        var tickets: [UInt64] = []
        while let ticket = queue.next() { tickets.append(ticket) }
        #expect(queue.isEmpty)
        return tickets
    }

    @Test func `nobody stands in an empty queue`() {
        var queue = Queue(capacity: 4)
        #expect(queue.next() == nil)
        #expect(queue.remove(1) == false)
        #expect(queue.isEmpty)
    }

    @Test func `one caller's calls are served in the order in which they came`() {
        #expect(drain(queue(capacity: 4, [(3, "a"), (1, "a"), (2, "a")])) == [3, 1, 2])
    }

    @Test func `callers come in turn`() {
        let queue = queue(capacity: 9, [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c"), (6, "b")])
        #expect(drain(queue) == [1, 4, 5, 2, 6, 3])
    }

    @Test func `a caller that newly enters comes behind the others`() {
        var queue = queue(capacity: 9, [(1, "a"), (2, "a"), (3, "b")])
        #expect(queue.next() == 1)
        #expect(queue.enter(4, of: "c") == .entered)
        #expect(drain(queue) == [3, 2, 4])
    }

    @Test func `who would enter knows of some that come before`() {
        var queue = queue(capacity: 9, [(1, "a"), (2, "a"), (3, "a"), (4, "b")])
        #expect(queue.turnsAhead(of: "a") == 4 && queue.turnsAhead(of: "b") == 2)
        #expect(queue.turnsAhead(of: "c") == 2)
        while queue.next() != nil {}
        #expect(queue.turnsAhead(of: "a") == 0)
    }

    @Test func `who has left is not served, and loses the others no turn`() {
        var queue = queue(capacity: 9, [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "b")])
        for ticket in [1, 3, 5] as [UInt64] { #expect(queue.remove(ticket) == true) }
        #expect(queue.remove(1) == false)
        #expect(queue.count == 2)
        #expect(drain(queue) == [2, 4])
    }

    @Test func `a ticket that stands in line keeps its place`() {
        var queue = queue(capacity: 9, [(1, "a"), (2, "a")])
        #expect(queue.enter(1, of: "a") == .entered)
        #expect(queue.enter(1, of: "b") == .entered)
        #expect(queue.count == 2)
        #expect(drain(queue) == [1, 2])
    }

    @Test func `the queue takes as many as it holds and not one more`() {
        var queue = queue(capacity: 3, [(1, "a"), (2, "a"), (3, "a")])
        #expect(queue.enter(4, of: "a") == .full)
        #expect(queue.count == 3)
        #expect(queue.next() == 1)
        #expect(queue.enter(4, of: "a") == .entered)
        #expect(queue.enter(5, of: "a") == .full)
    }

    @Test func `nothing enters a queue that holds none`() {
        for capacity in [0, -1] {
            var queue = Queue(capacity: capacity)
            #expect(queue.enter(1, of: "a") == .full)
            #expect(queue.isEmpty)
        }
    }

    @Test func `at a full queue the newest of the caller with the most makes room`() {
        var queue = queue(capacity: 4, [(1, "flood"), (2, "flood"), (3, "b"), (4, "flood")])
        #expect(queue.enter(5, of: "c") == .enteredInPlaceOf(ticket: 4))
        #expect(queue.count == 4)
        #expect(queue.enter(6, of: "flood") == .full)
        #expect(queue.enter(7, of: "c") == .full)
        #expect(queue.enter(8, of: "d") == .enteredInPlaceOf(ticket: 2))
        #expect(queue.enter(9, of: "e") == .full)
        #expect(drain(queue) == [1, 3, 5, 8])
    }

    @Test func `nobody makes room for a caller that would have as many`() {
        var queue = queue(capacity: 3, [(1, "a"), (2, "a"), (3, "b")])
        #expect(queue.enter(4, of: "b") == .full)
        #expect(queue.enter(5, of: "a") == .full)
        #expect(queue.enter(6, of: "c") == .enteredInPlaceOf(ticket: 2))
    }
}
