import Glibc
import TollkeyCore

/// What `/status` answers. The members' names are fixed: scripts depend on them.
extension ServerStatus {
    var json: JSONValue {
        let notReady = notReady
        return [
            "version": .text(version), "pid": .int(getpid()),
            "state": .text(isDraining ? "draining" : "running"),
            "now": .time(now.wall), "started": .time(process.started.wall),
            "ready": .flag(notReady.isEmpty), "not_ready": .array(notReady.map { .text($0) }),
            "configuration": configuration,
            "listeners": .array(listeners.map { .text($0) }),
            "clients": [
                "active": .int(workers.activeClients), "idle": .int(workers.idleClients),
                "waiting": .int(workers.waiting),
            ],
            "log": [
                "level": .text(log.level.rawValue), "access": .flag(log.access),
                "sample": .decimal(log.sample),
                "lines_dropped": .int(linesDropped),
            ],
            "ledger": ledgerJSON,
            "state_store": [
                "kind": .text(stateDirectory == nil ? "none" : isShared ? "redis" : "sqlite"),
                "directory": stateDirectory.map { .text($0) } ?? .null,
            ],
            "providers": .array(providers.map { $0.json(at: now) }),
            "problems": .array(workers.problems.recent(at: now.wall).prefix(Self.problemsMax).map(\.json)),
        ]
    }

    private static let problemsMax = 50

    private var configuration: JSONValue {
        let last = process.lastReload.map { reload -> JSONValue in
            [
                "at": .time(reload.time), "outcome": .text(reload.problems == nil ? "loaded" : "refused"),
                "problems": reload.problems.map { .text($0) } ?? .null,
            ]
        }
        return [
            "loaded": .time(process.loaded),
            "reloads": .int(process.reloadsLoaded + process.reloadsRefused), "last_reload": last ?? .null,
        ]
    }

    private var ledgerJSON: JSONValue {
        guard let ledger else { return ["kind": "none", "shared": .flag(false), "state": "ok"] }
        let since: Int64? =
            ledger.since == .past
            ? nil
            : now.wall - MonotonicTime(nanoseconds: now.monotonic).since(ledger.since).nanoseconds / 1_000_000
        return [
            "kind": .text(isShared ? "redis" : "sqlite"), "shared": .flag(isShared),
            "state": .text(ledger.stateName), "words": .text(ledger.reason ?? ""), "since": .time(since),
            "replicas": .int(ledger.replicas),
        ]
    }
}

extension LedgerStanding {
    var stateName: String {
        switch place {
        case .local, .shared: "ok"
        case .beginning: "beginning"
        case .away: fallback == .local ? "fallback" : "away"
        }
    }
}

extension ServerStatus.Provider {
    fileprivate func json(at now: Moment) -> JSONValue {
        let minute = calls.minute.total(at: MonotonicTime(nanoseconds: now.monotonic))
        let health = calls.health
        return [
            "name": .text(name), "route": .text(settings.route),
            "credentials": .array(credentialsJSON(at: now)),
            "categories": .array(categories.map { categoryJSON($0.settings, $0.figures) }),
            "calls": [
                "total": .int(calls.total), "failed": .int(calls.failed), "last_minute": .int(minute.all),
                "last_minute_failed": .int(minute.failed),
            ],
            "upstream": [
                "url": .text(
                    "\(settings.upstream.scheme.rawValue)://\(settings.upstream.authority)\(settings.upstream.basePath)"
                ), "active": .int(calls.activeConnections), "idle": .int(calls.idleConnections),
                "state": .text(health.since == nil ? "unknown" : health.isFailing ? "failing" : "ok"),
                "since": .time(health.since), "last_success": .time(health.lastSuccess),
                "last_failure": health.lastFault.map { fault in
                    ["at": .time(fault.time), "kind": .text(fault.kind), "words": .text(fault.words)]
                } ?? .null,
            ],
        ]
    }

    /// What is obtained; where nothing is, what was given.
    private func credentialsJSON(at now: Moment) -> [JSONValue] {
        guard settings.credentials.isEmpty else { return credentials.map { json($0, at: now) } }
        let isUsable = standing == .usable
        return settings.secrets.keys.sorted().map { name in
            [
                "name": .text(name), "kind": "key", "state": .text(isUsable ? "fresh" : "absent"),
                "usable": .flag(isUsable), "expires": .null, "expires_in": .null,
            ]
        }
    }

    private func json(_ credential: CredentialReport, at now: Moment) -> JSONValue {
        let held = credential.held
        let renewals = credential.renewals
        return [
            "name": .text(credential.name), "kind": "token", "state": .text(credential.stateName),
            "usable": .flag(isUsable(credential, at: now)), "generation": .int(held?.version ?? 0),
            "obtained": .time(credential.obtained), "expires": .time(held.map(\.expires.wall)),
            "expires_in": .seconds(held?.expires.remaining(at: now)),
            "life": .seconds(held == nil ? nil : credential.life),
            "renews_in": .seconds(held?.renewal.remaining(at: now)),
            "last_renewal": renewals.last.map { last in
                [
                    "at": .time(last.time), "outcome": .text(last.outcome.rawValue),
                    "cause": .text(last.cause.rawValue), "words": .text(last.words),
                ]
            } ?? .null,
            "renewals": [
                "obtained": .int(renewals.count(.obtained)), "adopted": .int(renewals.count(.adopted)),
                "failed": .int(renewals.count(.failed)),
            ],
            "trouble": credential.trouble.map { trouble in
                [
                    "words": .text(trouble.fault.words), "count": .int(trouble.count),
                    "retry_in": .seconds(trouble.retry == .never ? nil : trouble.retry.remaining(at: now)),
                ]
            } ?? .null,
        ]
    }

    private func categoryJSON(_ settings: CategorySettings, _ figures: CategoryGate.Figures) -> JSONValue {
        let rejected = calls.categories[settings.name]?.rejected.values.reduce(0, &+) ?? 0
        return [
            "name": .text(settings.name), "on_limit": .text(settings.onLimit.rawValue),
            "limits": .array(
                figures.limits.map { limit in
                    [
                        "text": .text(limit.limit.text), "limit": .int(limit.limit.count),
                        "window": .seconds(limit.limit.window), "remaining": .int(limit.remaining),
                        "resets_in": .decimal(Double(limit.resetsIn.microseconds) / 1e6),
                    ]
                }),
            "pause": figures.pause.nanoseconds > 0
                ? .decimal(Double(figures.pause.microseconds) / 1e6) : .null,
            "waiting": .int(figures.waiting), "rejected": .int(rejected),
        ]
    }
}

extension ProblemBook.Entry {
    fileprivate var json: JSONValue {
        [
            "kind": .text(kind), "provider": .text(provider),
            "side": .text(side == .upstream ? "provider" : side.rawValue), "count": .int(count),
            "first": .time(first), "last": .time(last), "words": .text(words),
        ]
    }
}
