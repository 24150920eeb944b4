import Glibc
import Logging
package import TollkeyCore

/// A provider's gates, and which call is for which.
package final class ProviderQuotas: Sendable {
    private let table: CategoryTable
    /// In the order of the provider's categories.
    let gates: [QuotaGate]
    let clerk: LedgerClerk

    /// Gates of `known` stay where nothing about them has changed. nil when the provider has no categories.
    init?(_ provider: ProviderSettings, known: ProviderQuotas?, clerk: LedgerClerk) {
        guard !provider.categories.isEmpty else { return nil }
        self.clerk = clerk
        table = CategoryTable(provider.categories)
        gates = provider.categories.map { category in
            let key = LedgerKey(
                provider: provider.name, authority: provider.upstream.authority, category: category.name)
            return known?.gates.first { $0.key == key && $0.settings == category }
                ?? QuotaGate(category, key: key, clerk: clerk)
        }
    }

    /// Whose gate a call must pass; `path` is what lies behind the route.
    func category(method: Span<UInt8>, path: Span<UInt8>) -> Int? {
        table.category(method: method, path: path)
    }
}

extension ProviderQuotas {
    /// For a command, which makes a few calls and ends; nil when there are no limits.
    package static func passing(
        _ provider: ProviderSettings, in settings: Settings, clock: Clock
    ) throws(StateFailure) -> ProviderQuotas? {
        guard !provider.categories.isEmpty else { return nil }
        let quiet = Logger(label: "tollkey") { _ in SwiftLogNoOpLogHandler() }
        let ledger = try makeLedger(settings, clock: clock, logger: quiet)
        do throws(SystemError) {
            let clerk = try LedgerClerk(
                ledger, isPassing: true, clock: clock, logger: quiet)
            guard clerk.start() else { throw SystemError("pthread_create", EAGAIN) }
            return ProviderQuotas(provider, known: nil, clerk: clerk)
        } catch { throw StateFailure(.system, error.description) }
    }

    /// The engine that the configuration names.
    static func makeLedger(
        _ settings: Settings, clock: Clock, logger: Logger
    ) throws(StateFailure) -> any QuotaLedger {
        let directory = settings.state ?? Server.defaultState
        guard let shared = settings.shared else {
            return try SQLiteLedger(directory: directory, clock: clock)
        }
        return try SharedLedger(shared, directory: directory, clock: clock, logger: logger)
    }
}
