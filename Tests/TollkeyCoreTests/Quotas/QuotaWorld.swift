import TollkeyCore

/// Several processes under one limit, with their ledger, on a clock of their own: what is sent when, and what lies on
/// the way at each moment, is decided here.
struct QuotaWorld {
    struct Process {
        var gate: CategoryGate
        var holder: UInt64
        /// Raised by a crash: what was on its way to the one before is lost.
        var life = 0
        var looksAt: Int64 = .max
        var isAsking = false
    }

    enum Event {
        case arrival(Int)
        /// So many more, one after the other, each at the next process.
        case arrivals(Int, every: Int64)
        case spend(Int, life: Int)
        case answered(Int, life: Int)
        case look(Int)
        indirect case asked(Int, LedgerContact, holder: UInt64, life: Int)
        indirect case heard(Int, LedgerReply, life: Int)
        case crash(Int)
        /// An end in good order, and a new beginning.
        case restart(Int)
        case giveUp(Int, UInt64)
    }

    /// Nanoseconds.
    private(set) var now: Int64 = 1_000_000_000_000
    private(set) var sends: [Int64] = []
    private(set) var refusals = 0
    private(set) var contacts = 0
    private(set) var processes: [Process] = []
    private var record = CategoryRecord()
    private var events = EventHeap<Event>()
    private var order = 0
    private var tickets: UInt64 = 0
    private var dice: Dice
    private let settings: CategorySettings
    private let terms: LedgerTerms
    /// Nanoseconds, each at the longest.
    var ledgerDelay: Int64 = 2_000_000
    var sendDelay: Int64 = 0
    var answerDelay: Int64 = 50_000_000
    var patience = TimeSpan(nanoseconds: 0)

    init(_ settings: CategorySettings, processes count: Int, isShared: Bool, seed: UInt64) {
        self.settings = settings
        terms = LedgerTerms(isShared: isShared)
        dice = Dice(seed: seed)
        for index in 0..<count { processes.append(makeProcess(UInt64(index + 1))) }
    }

    private func makeProcess(_ holder: UInt64) -> Process {
        let key = LedgerKey(provider: "acme", authority: "api.acme.test", category: settings.name)
        return Process(gate: CategoryGate(settings, key: key, terms: terms), holder: holder)
    }

    mutating func schedule(_ event: Event, in span: Int64) {
        order += 1
        events.insert(event, at: now + max(0, span), order)
    }

    mutating func run(for span: Int64) {
        let end = now + span
        while let time = events.time, time <= end, let event = events.removeFirst() {
            now = time
            handle(event)
        }
        now = end
    }

    private var time: MonotonicTime { MonotonicTime(nanoseconds: now) }

    private mutating func delay(_ longest: Int64) -> Int64 {
        longest == 0 ? 0 : Int64.random(in: longest / 4...longest, using: &dice)
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrivals(let left, let pause):
            handle(.arrival(left % processes.count))
            if left > 1 { schedule(.arrivals(left - 1, every: pause), in: pause) }
        case .arrival(let index):
            tickets += 1
            switch processes[index].gate.arrive(tickets, of: 0, patience: patience, at: time) {
            case .admitted: schedule(.spend(index, life: processes[index].life), in: delay(sendDelay))
            case .inLine(insteadOf: let other):
                if other != nil { refusals += 1 }
                if patience.nanoseconds > 0 {
                    schedule(.giveUp(index, tickets), in: patience.nanoseconds)
                }
            case .refused: refusals += 1
            }
            wake(index)
        case .spend(let index, let life):
            guard processes[index].life == life else { return }
            if processes[index].gate.spend(at: time) {
                sends.append(now)
                schedule(.answered(index, life: life), in: delay(answerDelay))
            }
            wake(index)
        case .answered(let index, let life):
            guard processes[index].life == life else { return }
            take(processes[index].gate.answered(200, nil, at: time), index)
        case .look(let index):
            processes[index].looksAt = .max
            // Planned anew once it has heard.
            guard !processes[index].isAsking else { return }
            guard let contact = processes[index].gate.look(at: time) else { return plan(index) }
            contacts += 1
            processes[index].isAsking = true
            let process = processes[index]
            schedule(
                .asked(index, contact, holder: process.holder, life: process.life), in: delay(ledgerDelay / 2)
            )
        case .asked(let index, let contact, let holder, let life):
            let reply = record.answer(contact, of: holder, at: now / 1_000 - 900_000_000)
            // As it is kept, now and then.
            if contacts % 16 == 0, let kept = CategoryRecord(decoding: record.encode()) { record = kept }
            schedule(.heard(index, reply, life: life), in: delay(ledgerDelay / 2))
        case .heard(let index, let reply, let life):
            guard processes[index].life == life else { return }
            processes[index].isAsking = false
            take(processes[index].gate.hear(reply, at: time), index)
            plan(index)
        case .crash(let index): begin(index)
        case .restart(let index):
            if let farewell = processes[index].gate.farewell(at: time) {
                _ = record.answer(farewell, of: processes[index].holder, at: now / 1_000 - 900_000_000)
            }
            begin(index)
        case .giveUp(let index, let ticket): processes[index].gate.leave(ticket)
        }
    }

    private mutating func begin(_ index: Int) {
        let life = processes[index].life + 1
        processes[index] = makeProcess(UInt64.random(in: 1 << 32 ... .max, using: &dice))
        processes[index].life = life
    }

    private mutating func take(_ outcome: CategoryGate.Outcome, _ index: Int) {
        for _ in outcome.admitted {
            schedule(.spend(index, life: processes[index].life), in: delay(sendDelay))
        }
        refusals += outcome.refused.count
        wake(index)
    }

    private mutating func wake(_ index: Int) {
        guard processes[index].gate.wantsLook(at: time) else { return }
        processes[index].looksAt = now
        schedule(.look(index), in: 20_000)
    }

    private mutating func plan(_ index: Int) {
        guard let next = processes[index].gate.nextLook(at: time), next < .never else { return }
        let at = max(now, next.nanoseconds)
        guard at < processes[index].looksAt else { return }
        processes[index].looksAt = at
        schedule(.look(index), in: at - now + 1_000)
    }

    /// The most that was sent in any window, counted one by one.
    func mostSent(in window: Duration) -> Int {
        let span = TimeSpan(window).nanoseconds
        let sorted = sends.sorted()
        var most = 0
        var first = 0
        for (index, send) in sorted.enumerated() {
            while sorted[first] + span <= send { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }
}

/// What lies on the way, the soonest first, and of one moment in the order in which it was put there.
struct EventHeap<Event> {
    private struct Entry {
        let time: Int64
        let order: Int
        let slot: Int
    }

    private var entries: [Entry] = []
    private var slots: [Event?] = []
    private var free: [Int] = []

    var time: Int64? { entries.first?.time }

    private func comes(_ a: Int, before b: Int) -> Bool {
        let (one, other) = (entries[a], entries[b])
        return one.time < other.time || one.time == other.time && one.order < other.order
    }

    mutating func insert(_ event: Event, at time: Int64, _ order: Int) {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(event) } else { slots[slot] = event }
        entries.append(Entry(time: time, order: order, slot: slot))
        var place = entries.count - 1
        while place > 0, comes(place, before: (place - 1) / 2) {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() -> Event? {
        guard let slot = entries.first?.slot else { return nil }
        defer {
            slots[slot] = nil
            free.append(slot)
        }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while true {
            var least = place
            for child in 2 * place + 1...2 * place + 2 where child < entries.count {
                if comes(child, before: least) { least = child }
            }
            guard least != place else { return slots[slot] }
            entries.swapAt(place, least)
            place = least
        }
    }
}
