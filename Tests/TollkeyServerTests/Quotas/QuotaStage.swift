import Synchronization
import Testing
import TollkeyCore
import TollkeyServer

/// A provider that answers every request at once, on threads of its own, and counts them.
final class CountingUpstream: Sendable {
    private struct State {
        var requests: [Message] = []
        var isClosed = false
    }
    private let state = Mutex(State())
    private let upstream: RawUpstream
    /// For the request of that number, from 0; nil ends its connection.
    private let answer: @Sendable (Int, Message) -> String?

    var port: Int { upstream.port }
    var requests: [Message] { state.withLock { $0.requests } }
    var count: Int { requests.count }
    /// Of the requests, in their order.
    var paths: [String] { requests.map { String($0.startLine.split(separator: " ")[1]) } }

    init(_ answer: @escaping @Sendable (Int, Message) -> String? = { _, _ in ok() }) throws {
        self.answer = answer
        upstream = try RawUpstream()
        _ = try Aside { [self] in
            while !state.withLock({ $0.isClosed }) {
                guard let connection = try? upstream.accept() else { continue }
                _ = try Aside { [self] in serve(connection) }
            }
        }
    }

    private func serve(_ connection: RawConnection) {
        while let request = try? connection.request() {
            let number = state.withLock { state in
                state.requests.append(request)
                return state.requests.count - 1
            }
            guard let text = answer(number, request), (try? connection.send(text)) != nil else { break }
        }
        connection.close()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        _ = try? RawConnection.toPort(port)
    }
}

/// A proxy with limits before a counting provider, on a clock that stands still; its state outlives it.
final class QuotaStage: Sendable {
    let upstream: CountingUpstream
    let folder: StateFolder
    let clock: ManualClock
    let log = LogBook()

    init(
        tick: Duration = .zero, _ answer: @escaping @Sendable (Int, Message) -> String? = { _, _ in ok() }
    ) throws {
        clock = ManualClock(tick: tick)
        upstream = try CountingUpstream(answer)
        folder = try StateFolder()
    }

    deinit { upstream.close() }

    /// What the ledger has recorded becomes something that it cannot read.
    func damageLedger() throws { try RawDatabase.run("UPDATE category SET record = x'07'", in: ledgerPath) }

    /// It has recorded nothing.
    func emptyLedger() throws { try RawDatabase.run("DELETE FROM category", in: ledgerPath) }

    /// It cannot be read or written at all.
    func takeLedgerAway() throws {
        try RawDatabase.run("ALTER TABLE category RENAME TO away", in: ledgerPath)
    }

    func bringLedgerBack() throws {
        try RawDatabase.run("ALTER TABLE away RENAME TO category", in: ledgerPath)
    }

    private var ledgerPath: String { folder.path + "/quota.db" }

    func provider(_ categories: CategorySettings...) -> ProviderSettings {
        var provider = ProviderSettings.plain(upstream.port)
        provider.categories = categories
        return provider
    }

    func settings(_ provider: ProviderSettings) -> Settings {
        Settings(to: [provider]).with { $0.state = folder.path }
    }

    /// Whoever makes one stops it.
    func proxy(_ categories: CategorySettings...) throws -> Proxy {
        var provider = ProviderSettings.plain(upstream.port)
        provider.categories = categories
        return try proxy(provider)
    }

    func proxy(_ provider: ProviderSettings) throws -> Proxy {
        try Proxy(settings(provider), clock: clock, log: log)
    }

    /// How many of so many calls, one after the other, the provider has answered.
    func passed(_ count: Int, _ proxy: Proxy, _ path: String = "/") throws -> Int {
        let client = try proxy.connect()
        var passed = 0
        for _ in 0..<count {
            try client.send(get(path))
            if try client.answer().status == 200 { passed += 1 }
        }
        return passed
    }
}

extension Proxy {
    /// As `pass`, but the ledger learns of the last uses in time: a process that stands still for longer than its lease
    /// is charged for them as late as can be.
    func passCounted(_ duration: Duration) throws {
        try settle()
        // It tells an eightieth of the window after a use, a quarter of a second at least.
        let first = min(duration, max(.milliseconds(500), duration / 60))
        pass(first)
        pass(duration - first)
    }
}

extension CategorySettings {
    /// `GET` of all paths below `path`, `count` of them in `window`.
    static func limited(
        _ count: Int, per window: Duration, _ path: String = "/**", name: String = "calls",
        _ change: (inout CategorySettings) -> Void = { _ in }
    ) throws -> CategorySettings {
        var category = CategorySettings(name: name)
        category.match = [try CallPattern("* \(path)")]
        category.limits = [LimitSettings(count: count, window: window)]
        category.waitMax = .seconds(60)
        change(&category)
        return category
    }

    /// The same, whose calls stand in line.
    static func waiting(
        _ count: Int, per window: Duration, _ change: (inout CategorySettings) -> Void = { _ in }
    ) throws -> CategorySettings {
        try limited(count, per: window) {
            $0.onLimit = .wait
            change(&$0)
        }
    }
}
