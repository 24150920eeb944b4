package import TollkeyCore

/// What one event loop counts of one provider. Stays through reloads, as counters should.
final class CallTally {
    /// The calls of one category; a call keeps it until it is over, whatever a reload makes of the categories.
    final class Category {
        var figures = CallFigures.Category()
    }

    let name: String
    var figures = CallFigures()
    let uncategorised = Category()
    /// In the order of the provider's categories.
    private var categories: [Category] = []
    /// Those of earlier configurations too.
    private var known: [String: Category] = [:]
    private static let namesMax = 20_000

    init(_ name: String) { self.name = name }

    /// Goes on with these categories. What was counted of others stays: counters do not go back.
    func adopt(_ settings: [CategorySettings]) {
        if known.count > Self.namesMax { known = [:] }
        categories = settings.map { category in
            let tally = known[category.name] ?? Category()
            known[category.name] = tally
            return tally
        }
    }

    func category(_ index: Int) -> Category {
        categories.indices.contains(index) ? categories[index] : uncategorised
    }

    /// All of it, for other threads.
    func report(_ upstream: Upstream?) -> CallFigures {
        var report = figures
        report.categories[""] = uncategorised.figures
        for (name, category) in known { report.categories[name] = category.figures }
        if let upstream {
            report.idleConnections = upstream.idleCount
            report.activeConnections = upstream.openCount - upstream.idleCount
        }
        return report
    }
}

/// What one event loop has to say, for whoever asks from another thread.
package struct WorkerReport: Sendable {
    /// By provider; "" are calls to none.
    package var calls: [String: CallFigures] = [:]
    package var problems = ProblemBook()
    package var activeClients = 0
    package var idleClients = 0
    package var acceptedClients: UInt64 = 0
    package var waiting = 0

    package init() {}

    package mutating func add(_ other: WorkerReport) {
        for (name, figures) in other.calls { calls[name, default: CallFigures()].add(figures) }
        problems.add(other.problems)
        activeClients += other.activeClients
        idleClients += other.idleClients
        acceptedClients &+= other.acceptedClients
        waiting += other.waiting
    }
}
