import Glibc
package import TollkeyCore

/// Looks at one provider as a doctor would: at all that a call needs, in the order in which it is needed.
package struct Checkup {
    let provider: ProviderSettings
    let clock: Clock
    /// Whether obtained credentials are renewed, for real.
    let renews: Bool
    let settings: Settings
    private var findings: [Finding] = []

    /// Clocks that differ by more make tokens die too early, or too late.
    package static let clockDifferenceMax: Duration = .seconds(60)

    package init(
        _ provider: ProviderSettings, in settings: Settings, renews: Bool = false, clock: Clock = .system
    ) {
        self.provider = provider
        self.settings = settings
        self.renews = renews
        self.clock = clock
    }

    package mutating func perform() -> [Finding] {
        findings = []
        let url = provider.upstream
        add(
            .ok, "configuration",
            "\(provider.route) leads to \(url.scheme.rawValue)://\(url.authority)\(url.basePath)")
        if let shared = settings.shared { ask(shared) }
        let store = openState()
        lookUpAddresses()
        let secrets = lookAtSecrets(store)
        let tokens = lookAtCredentials(store)
        call(with: secrets, tokens)
        return findings
    }

    mutating func add(_ mark: Finding.Mark, _ subject: String, _ words: String) {
        findings.append(Finding(mark, subject, words))
    }

    // MARK: Redis

    /// Connects, logs in and runs a script, as counting does, in the time that it has for that.
    private mutating func ask(_ shared: SharedSettings) {
        let host = shared.host.contains(":") ? "[\(shared.host)]" : shared.host
        do {
            let client = try RedisClient(shared, name: "tollkey-doctor", timeouts: RedisLedger.timeouts)
            defer { client.close() }
            _ = try client.run(Self.reading, keys: [RedisArgument("\(shared.prefix):epoch")])
            add(.ok, "redis", "\(host):\(shared.port) lets us in, and runs our scripts")
        } catch {
            let meanwhile =
                switch shared.fallback {
                case .local: "meanwhile each replica goes by its share of every limit"
                case .refuse: "meanwhile calls under a limit are refused"
                }
            add(.problem, "redis", "\(error); \(meanwhile)")
        }
    }

    /// Looks where the ledger does, and changes nothing.
    private static let reading = RedisScript("return {redis.call('HMGET', KEYS[1], 'id'), cmsgpack.pack({})}")

    // MARK: The state

    /// nil when there is none, or it cannot be used.
    private mutating func openState() -> (any RecordStore)? {
        guard provider.mayUseState else { return nil }
        let directory = settings.state ?? Server.defaultState
        let isThere = access("\(directory)/\(StateOpening.databaseName)", F_OK) == 0
        // Looking begins none.
        guard isThere || renews && provider.needsState else {
            add(.note, "state", "there is none in \(directory) yet; it is begun when it is first needed")
            return nil
        }
        do throws(StateFailure) {
            let store = try settings.openState(clock: clock)
            add(.ok, "state", "\(directory) opens with its key\(try records(in: store))")
            if let shared = store as? SharedStore {
                let fault = shared.fault()
                add(fault == nil ? .ok : .problem, "shared", fault ?? "Redis answers")
            }
            return store
        } catch {
            add(.problem, "state", error.description)
            return nil
        }
    }

    /// What it has of this provider, by kinds and names.
    private func records(in store: any RecordStore) throws(StateFailure) -> String {
        var names: [String] = []
        for kind in ["credential", "rotation", "verification"] {
            let places = try store.all(kind: kind).keys.filter { $0.provider == provider.name }
            names += places.map { "\(kind) \($0.name)" }.sorted()
        }
        return names.isEmpty ? "" : "; holds \(names.joined(separator: ", "))"
    }

    // MARK: The way there

    private mutating func lookUpAddresses() {
        if !provider.addresses.isEmpty {
            let list = provider.addresses.map { "\($0.host) port \($0.port)" }.joined(separator: ", ")
            return add(.ok, "address", "the configuration names \(list)")
        }
        let host = provider.upstream.host
        guard let found = SocketAddress.lookUp(host, provider.upstream.port) else {
            return add(
                .problem, "address",
                "the name \(host) has no address: check its spelling in 'upstream', and this machine's DNS")
        }
        let texts = found.compactMap { address in
            if case .tcp(let host, _)? = address.listenAddress { host } else { nil }
        }
        add(.ok, "address", "\(host) is at \(texts.joined(separator: ", "))")
    }

    // MARK: The secrets

    private mutating func lookAtSecrets(_ store: (any RecordStore)?) -> [String: Secret] {
        var effective = provider.secrets
        do throws(StateFailure) {
            effective = try SecretOverrides(provider: provider, store: store).applied(to: provider.secrets)
        } catch { add(.problem, "secrets", error.description) }
        for (name, secret) in provider.secrets.sorted(by: { $0.key < $1.key }) {
            if let fault = secret.fault(isKey: provider.keySecrets.contains(name)) {
                add(.problem, "secret \(name)", fault)
            } else if effective[name] != secret {
                add(
                    .note, "secret \(name)",
                    "a rotation has replaced the configured one; put the new one there"
                        + " (tollkey rotate \(provider.name) --show)")
            } else {
                add(.ok, "secret \(name)", "is there")
            }
        }
        return effective
    }
}
