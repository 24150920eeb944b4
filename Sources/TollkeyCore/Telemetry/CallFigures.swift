/// What the calls of one provider came to, in one event loop or in all of them.
package struct CallFigures: Sendable {
    /// One status from one source, in one category.
    package struct Outcome: Sendable, Equatable {
        package var status: Int
        package var source: CallRecord.Source
        package var count: UInt64 = 1
        package init(status: Int, source: CallRecord.Source) {
            self.status = status
            self.source = source
        }
    }

    /// The calls of one category.
    package struct Category: Sendable {
        /// Those that occurred, in the order in which they first did. At most one for each status and source.
        package private(set) var outcomes: [Outcome] = []
        /// By why: as many as `QuotaRefusal.Reason` has.
        package private(set) var rejected: [QuotaRefusal.Reason: UInt64] = [:]
        package private(set) var waits = Histogram()

        package init() {}

        package mutating func count(_ status: Int, _ source: CallRecord.Source) {
            for i in outcomes.indices where outcomes[i].status == status && outcomes[i].source == source {
                outcomes[i].count &+= 1
                return
            }
            outcomes.append(Outcome(status: status, source: source))
        }

        package mutating func reject(_ reason: QuotaRefusal.Reason) { rejected[reason, default: 0] &+= 1 }

        package mutating func waited(_ span: TimeSpan) { waits.observe(span) }

        package mutating func add(_ other: Category) {
            for outcome in other.outcomes {
                if let i = outcomes.firstIndex(where: {
                    $0.status == outcome.status && $0.source == outcome.source
                }) {
                    outcomes[i].count &+= outcome.count
                } else {
                    outcomes.append(outcome)
                }
            }
            rejected.merge(other.rejected, uniquingKeysWith: &+)
            waits.add(other.waits)
        }
    }

    /// By name; "" are calls of no category.
    package var categories: [String: Category] = [:]
    package var requests = Histogram()
    package var upstream = Histogram()
    /// Repetitions after a connection that died, and after a credential that was refused.
    package var retriesLost: UInt64 = 0
    package var retriesRefused: UInt64 = 0
    /// Answers that were made here.
    package var problems: [FailureKind: UInt64] = [:]
    package var failed: UInt64 = 0
    package var minute = RecentCounts()
    package var health = UpstreamHealth()
    package var activeConnections = 0
    package var idleConnections = 0
    package var openedConnections: UInt64 = 0

    package init() {}

    package var total: UInt64 { categories.values.reduce(0) { $0 + $1.outcomes.reduce(0) { $0 + $1.count } } }

    package mutating func add(_ other: CallFigures) {
        for (name, category) in other.categories { categories[name, default: Category()].add(category) }
        requests.add(other.requests)
        upstream.add(other.upstream)
        retriesLost &+= other.retriesLost
        retriesRefused &+= other.retriesRefused
        problems.merge(other.problems, uniquingKeysWith: &+)
        failed &+= other.failed
        minute.add(other.minute)
        health.add(other.health)
        activeConnections += other.activeConnections
        idleConnections += other.idleConnections
        openedConnections &+= other.openedConnections
    }
}

/// What happened in the last minute, ten seconds at a time.
package struct RecentCounts: Sendable, Equatable {
    private var slots = [Slot](repeating: Slot(), count: Self.slotCount)

    private struct Slot: Sendable, Equatable {
        /// Since the clock's beginning, in lengths of a slot.
        var number = Int64.min
        var all: UInt64 = 0
        var failed: UInt64 = 0
    }

    private static let slotNanoseconds: Int64 = 10_000_000_000
    private static let slotCount = 6

    package init() {}

    package mutating func count(isFailed: Bool, at now: MonotonicTime) {
        let number = now.nanoseconds / Self.slotNanoseconds
        let index = Int(number.magnitude % UInt64(Self.slotCount))
        if slots[index].number != number { slots[index] = Slot(number: number) }
        slots[index].all &+= 1
        if isFailed { slots[index].failed &+= 1 }
    }

    package func total(at now: MonotonicTime) -> (all: UInt64, failed: UInt64) {
        let first = now.nanoseconds / Self.slotNanoseconds - Int64(Self.slotCount) + 1
        return slots.reduce((0, 0)) { sum, slot in
            slot.number < first ? sum : (sum.0 &+ slot.all, sum.1 &+ slot.failed)
        }
    }

    package mutating func add(_ other: RecentCounts) {
        for i in slots.indices {
            if other.slots[i].number > slots[i].number {
                slots[i] = other.slots[i]
            } else if other.slots[i].number == slots[i].number {
                slots[i].all &+= other.slots[i].all
                slots[i].failed &+= other.slots[i].failed
            }
        }
    }
}

/// Whether the provider answers, by its last calls. Times are milliseconds since 1970.
package struct UpstreamHealth: Sendable, Equatable {
    package struct Fault: Sendable, Equatable {
        package var time: Int64
        /// Of the answer made here, or `status-500`: the provider's own.
        package var kind: String
        package var words: String
    }

    package private(set) var lastSuccess: Int64?
    package private(set) var lastFault: Fault?
    /// Since when it has been as it is.
    package private(set) var since: Int64?

    package init() {}

    package var isFailing: Bool { (lastFault?.time ?? .min) > (lastSuccess ?? .min) }

    package mutating func succeeded(at time: Int64) {
        if isFailing || since == nil { since = time }
        lastSuccess = time
    }

    package mutating func failed(_ kind: String, _ words: String, at time: Int64) {
        if !isFailing || since == nil { since = time }
        // What comes in the same millisecond is later.
        lastFault = Fault(time: max(time, (lastSuccess ?? .min) &+ 1), kind: kind, words: words)
    }

    package mutating func add(_ other: UpstreamHealth) {
        let isLater =
            max(other.lastSuccess ?? .min, other.lastFault?.time ?? .min)
            > max(lastSuccess ?? .min, lastFault?.time ?? .min)
        if isLater { since = other.since ?? since }
        if let time = other.lastSuccess { lastSuccess = max(lastSuccess ?? time, time) }
        if let fault = other.lastFault, fault.time >= lastFault?.time ?? .min { lastFault = fault }
    }
}
