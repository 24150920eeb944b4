import TollkeyCore

/// What `/metrics` answers.
extension ServerStatus {
    var metrics: String {
        var out = MetricsText()
        let calls = providers.map { ($0.name, $0.calls) } + [("", workers.calls[""] ?? CallFigures())]
        addCalls(calls, to: &out)
        addQuotas(to: &out)
        addCredentials(to: &out)
        addConnections(to: &out)
        addProcess(to: &out)
        return out.text
    }

    private func addCalls(_ calls: [(name: String, figures: CallFigures)], to out: inout MetricsText) {
        for (name, figures) in calls {
            for (category, counts) in figures.categories.sorted(by: { $0.key < $1.key }) {
                for outcome in counts.outcomes {
                    out.add(
                        .requests, [name, category, String(outcome.status), outcome.source.rawValue],
                        outcome.count)
                }
            }
        }
        for (name, figures) in calls { out.add(.requestSeconds, [name], figures.requests) }
        for (name, figures) in calls where !name.isEmpty {
            out.add(.upstreamSeconds, [name], figures.upstream)
        }
        for (name, figures) in calls where !name.isEmpty {
            out.add(.retries, [name, "lost"], figures.retriesLost)
            out.add(.retries, [name, "refused"], figures.retriesRefused)
        }
        for (name, figures) in calls {
            for (kind, count) in figures.problems.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                out.add(.problems, [name, kind.rawValue], count)
            }
        }
    }

    private func addQuotas(to out: inout MetricsText) {
        let categories = providers.flatMap { provider in
            provider.categories.map { category in
                (
                    labels: [provider.name, category.settings.name], figures: category.figures,
                    counts: provider.calls.categories[category.settings.name] ?? .init()
                )
            }
        }
        func window(_ limit: CategoryGate.Figures.Limit) -> String {
            String(limit.limit.window.milliseconds / 1_000)
        }
        for category in categories {
            for limit in category.figures.limits {
                out.add(.quotaLimit, category.labels + [window(limit)], Double(limit.limit.count))
            }
        }
        for category in categories {
            for limit in category.figures.limits {
                out.add(.quotaRemaining, category.labels + [window(limit)], Double(limit.remaining))
            }
        }
        for category in categories {
            for reason in QuotaRefusal.Reason.allCases {
                out.add(
                    .quotaRejected, category.labels + [reason.label], category.counts.rejected[reason] ?? 0)
            }
        }
        for category in categories { out.add(.quotaWaitSeconds, category.labels, category.counts.waits) }
        for category in categories {
            out.add(.quotaWaiting, category.labels, Double(category.figures.waiting))
        }
        for category in categories {
            out.add(.quotaPauseSeconds, category.labels, Double(category.figures.pause.microseconds) / 1e6)
        }
    }

    private func addCredentials(to out: inout MetricsText) {
        for provider in providers {
            for credential in provider.credentials {
                let left = credential.held?.expires.remaining(at: now).milliseconds ?? 0
                out.add(.credentialExpiresIn, [provider.name, credential.name], Double(left) / 1_000)
            }
            for name in provider.givenNames {
                out.add(
                    .credentialExpiresIn, [provider.name, name],
                    provider.standing == .usable ? .infinity : 0)
            }
        }
        for provider in providers {
            for credential in provider.credentials {
                let isUsable = provider.isUsable(credential, at: now)
                out.add(.credentialUsable, [provider.name, credential.name], isUsable ? 1.0 : 0)
            }
            for name in provider.givenNames {
                out.add(
                    .credentialUsable, [provider.name, name], provider.standing == .usable ? 1.0 : 0)
            }
        }
        for provider in providers {
            for credential in provider.credentials {
                for outcome in RenewalTally.Outcome.allCases {
                    for cause in CredentialLife.Cause.allCases {
                        let key = RenewalTally.Key(outcome: outcome, cause: cause)
                        out.add(
                            .credentialRenewals,
                            [provider.name, credential.name, outcome.rawValue, cause.rawValue],
                            credential.renewals.counts[key] ?? 0)
                    }
                }
            }
        }
    }

    private func addConnections(to out: inout MetricsText) {
        out.add(.connections, ["client", "active"], Double(workers.activeClients))
        out.add(.connections, ["client", "idle"], Double(workers.idleClients))
        let active = providers.reduce(0) { $0 + $1.calls.activeConnections }
        let idle = providers.reduce(0) { $0 + $1.calls.idleConnections }
        out.add(.connections, ["upstream", "active"], Double(active))
        out.add(.connections, ["upstream", "idle"], Double(idle))
        out.add(.connectionsOpened, ["client"], workers.acceptedClients)
        out.add(.connectionsOpened, ["upstream"], providers.reduce(0) { $0 &+ $1.calls.openedConnections })
    }

    private func addProcess(to out: inout MetricsText) {
        if let ledger {
            out.add(
                .ledgerUp, [isShared ? "redis" : "sqlite"], ledger.place == .away ? 0.0 : 1)
        }
        out.add(.logLinesDropped, [], linesDropped)
        out.add(.spansDropped, [], spansDropped)
        out.add(.ready, [], notReady.isEmpty ? 1.0 : 0)
        out.add(.configReloads, ["loaded"], process.reloadsLoaded)
        out.add(.configReloads, ["refused"], process.reloadsRefused)
        out.add(.configLoaded, [], Double(process.loaded) / 1_000)
        out.add(.buildInfo, [version], 1.0)
        let system = ProcessFigures()
        out.add(.cpuSeconds, [], system.cpuSeconds)
        out.add(.residentMemory, [], Double(system.residentBytes))
        // Without a descriptor to look with there is nothing to tell.
        if system.openDescriptors > 0 { out.add(.openDescriptors, [], Double(system.openDescriptors)) }
        out.add(.maxDescriptors, [], Double(system.maxDescriptors))
        out.add(.startTime, [], Double(process.started.wall) / 1_000)
        out.add(.threads, [], Double(system.threads))
    }
}

extension ServerStatus.Provider {
    /// Names of the secrets that stand for credentials where none is obtained.
    var givenNames: [String] { settings.credentials.isEmpty ? settings.secrets.keys.sorted() : [] }
}
