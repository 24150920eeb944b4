import TollkeyCore

/// How the proxy stands at one moment, for people and for programs. Holds no secret.
package struct ServerStatus: Sendable {
    struct Provider: Sendable {
        let settings: ProviderSettings
        let standing: CredentialStanding
        let credentials: [CredentialReport]
        let categories: [(settings: CategorySettings, figures: CategoryGate.Figures)]
        let calls: CallFigures
    }

    /// The last attempt to go over to another configuration. Times are milliseconds since 1970.
    struct Reload: Sendable {
        var time: Int64
        /// nil: it was loaded.
        var problems: String?
    }

    /// What concerns the process as a whole.
    struct Process: Sendable {
        var started = Moment(wall: 0, monotonic: 0)
        var loaded: Int64 = 0
        var reloadsLoaded: UInt64 = 0
        var reloadsRefused: UInt64 = 0
        var lastReload: Reload?
    }

    var now: Moment
    var version: String
    var isDraining = false
    var process = Process()
    var listeners: [String] = []
    var log = LogSettings()
    var linesDropped: UInt64 = 0
    var spansDropped: UInt64 = 0
    /// nil: there are no limits.
    var ledger: LedgerStanding?
    var isShared = false
    /// nil: nothing is kept.
    var stateDirectory: String?
    var providers: [Provider] = []
    var workers = WorkerReport()
    /// Event loops that have not answered.
    var silentLoops: [Int] = []

    init(now: Moment, version: String) {
        self.now = now
        self.version = version
    }

    /// Why calls could fail now that should not; empty when the proxy is ready.
    package var notReady: [String] {
        (isDraining ? ["draining"] : [])
            + silentLoops.map { "event loop \($0) does not answer" }
            + providers.flatMap { provider in provider.notReady(at: now) }
    }
}

extension ServerStatus.Provider {
    var name: String { settings.name }

    func isUsable(_ credential: CredentialReport, at now: Moment) -> Bool {
        credential.held.map { !$0.expires.isReached(at: now) } ?? false
    }

    func notReady(at now: Moment) -> [String] {
        let dead = credentials.filter { !isUsable($0, at: now) }
        if !dead.isEmpty {
            return dead.map { credential in
                var words = "\(name)/\(credential.name): \(credential.stateName)"
                if let trouble = credential.trouble {
                    words += ", \(trouble.fault.words)"
                    if trouble.retry != .never {
                        words += ", next try in \(trouble.retry.remaining(at: now).inWords)"
                    }
                }
                return words
            }
        }
        switch standing {
        case .usable: return []
        case .coming: return ["\(name): credentials are being obtained"]
        case .missing(let failure): return ["\(name): \(failure.detail)"]
        }
    }
}

extension CredentialReport {
    var held: CredentialLife.Held? {
        switch state {
        case .fresh(let held), .renewing(let held): held
        case .absent, .obtaining, .expired: nil
        }
    }

    var stateName: String {
        switch state {
        case .absent: "absent"
        case .obtaining: "obtaining"
        case .fresh: "fresh"
        case .renewing: "renewing"
        case .expired: obtained == nil ? "absent" : "expired"
        }
    }
}

extension QuotaRefusal.Reason {
    var label: String {
        switch self {
        case .limit: "limit"
        case .pause: "pause"
        case .lineFull: "line-full"
        case .ledgerAway: "ledger-away"
        }
    }
}
