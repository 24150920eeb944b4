/// Every metric that there is. A new one does not compile without its row, and is documented in docs/metrics.md.
package enum Metric: Sendable, CaseIterable {
    case requests, requestSeconds, upstreamSeconds, retries, problems
    case quotaLimit, quotaRemaining, quotaRejected, quotaWaitSeconds, quotaWaiting, quotaPauseSeconds
    case credentialExpiresIn, credentialUsable, credentialRenewals
    case connections, connectionsOpened
    case ledgerUp, logLinesDropped, spansDropped
    case ready, configReloads, configLoaded, buildInfo
    case cpuSeconds, residentMemory, openDescriptors, maxDescriptors, startTime, threads

    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package struct Row: Sendable {
        package let name: String
        package let type: Kind
        package let labels: [String]
        package let help: String
    }

    package var row: Row {
        switch self {
        case .requests:
            Row(
                name: "tollkey_requests_total", type: .counter,
                labels: ["provider", "category", "status", "source"],
                help: "Requests that are over, by the answer's status and by who made it.")
        case .requestSeconds:
            Row(
                name: "tollkey_request_seconds", type: .histogram, labels: ["provider"],
                help: "From the end of a request's head to its answer's last byte.")
        case .upstreamSeconds:
            Row(
                name: "tollkey_upstream_seconds", type: .histogram, labels: ["provider"],
                help: "From sending a request, the last time, to the head of the provider's answer.")
        case .retries:
            Row(
                name: "tollkey_retries_total", type: .counter, labels: ["provider", "cause"],
                help: "Requests that were sent once more, by why.")
        case .problems:
            Row(
                name: "tollkey_problems_total", type: .counter, labels: ["provider", "kind"],
                help: "Requests that were answered here, or whose answer was cut short, by kind.")
        case .quotaLimit:
            Row(
                name: "tollkey_quota_limit", type: .gauge, labels: ["provider", "category", "window"],
                help: "Calls that may pass in a window of so many seconds.")
        case .quotaRemaining:
            Row(
                name: "tollkey_quota_remaining", type: .gauge, labels: ["provider", "category", "window"],
                help: "Calls that may pass now.")
        case .quotaRejected:
            Row(
                name: "tollkey_quota_rejected_total", type: .counter,
                labels: ["provider", "category", "reason"],
                help: "Calls that were refused because of a limit, by why.")
        case .quotaWaitSeconds:
            Row(
                name: "tollkey_quota_wait_seconds", type: .histogram, labels: ["provider", "category"],
                help: "How long calls stood in line for a permit.")
        case .quotaWaiting:
            Row(
                name: "tollkey_quota_waiting", type: .gauge, labels: ["provider", "category"],
                help: "Calls that stand in line now.")
        case .quotaPauseSeconds:
            Row(
                name: "tollkey_quota_pause_seconds", type: .gauge, labels: ["provider", "category"],
                help: "How long the provider's pause goes on; 0 when there is none.")
        case .credentialExpiresIn:
            Row(
                name: "tollkey_credential_expires_in_seconds", type: .gauge,
                labels: ["provider", "credential"],
                help: "How long the credential lives; +Inf when it has no end, 0 when there is none.")
        case .credentialUsable:
            Row(
                name: "tollkey_credential_usable", type: .gauge, labels: ["provider", "credential"],
                help: "1 when calls can go with it.")
        case .credentialRenewals:
            Row(
                name: "tollkey_credential_renewals_total", type: .counter,
                labels: ["provider", "credential", "outcome", "cause"],
                help: "Attempts to obtain or renew the credential.")
        case .connections:
            Row(
                name: "tollkey_connections", type: .gauge, labels: ["side", "state"],
                help: "Open connections.")
        case .connectionsOpened:
            Row(
                name: "tollkey_connections_opened_total", type: .counter, labels: ["side"],
                help: "Connections that were opened.")
        case .ledgerUp:
            Row(
                name: "tollkey_ledger_up", type: .gauge, labels: ["kind"],
                help: "1 when limits are counted where they should be.")
        case .logLinesDropped:
            Row(
                name: "tollkey_log_lines_dropped_total", type: .counter, labels: [],
                help: "Log lines that nobody took in time.")
        case .spansDropped:
            Row(
                name: "tollkey_spans_dropped_total", type: .counter, labels: [],
                help: "Spans that the collector did not take in time.")
        case .ready:
            Row(
                name: "tollkey_ready", type: .gauge, labels: [], help: "1 when every credential can be used.")
        case .configReloads:
            Row(
                name: "tollkey_config_reloads_total", type: .counter, labels: ["outcome"],
                help: "Reloads of the configuration.")
        case .configLoaded:
            Row(
                name: "tollkey_config_loaded_timestamp_seconds", type: .gauge, labels: [],
                help: "When the configuration was loaded that is in force.")
        case .buildInfo:
            Row(name: "tollkey_build_info", type: .gauge, labels: ["version"], help: "Always 1.")
        case .cpuSeconds:
            Row(
                name: "process_cpu_seconds_total", type: .counter, labels: [],
                help: "User and system time of the process.")
        case .residentMemory:
            Row(
                name: "process_resident_memory_bytes", type: .gauge, labels: [],
                help: "Memory that the process has in use.")
        case .openDescriptors:
            Row(
                name: "process_open_fds", type: .gauge, labels: [], help: "File descriptors that are open.")
        case .maxDescriptors:
            Row(
                name: "process_max_fds", type: .gauge, labels: [],
                help: "File descriptors that may be open.")
        case .startTime:
            Row(
                name: "process_start_time_seconds", type: .gauge, labels: [],
                help: "When the process was started, since 1970.")
        case .threads:
            Row(name: "process_threads", type: .gauge, labels: [], help: "Threads of the process.")
        }
    }
}
