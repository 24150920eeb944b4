import TollkeyCore

/// The top of the file.
struct SettingsReader {
    let reading: Reading

    func read(_ node: YamlNode) -> Settings {
        var settings = Settings()
        var top = MapReader(node, path: "", reading: reading)
        let addresses = AddressReader(&top, reading: reading)
        let listenersAreGood = addresses.areGood
        if let listeners = addresses.listeners { settings.listeners = listeners }
        settings.admin.listeners = addresses.admin ?? []

        if let hosts = top.value("hosts", .list(of: .text(HostName.parseOrAddress), max: Bounds.hosts)) {
            settings.hosts = hosts.value.map(\.value)
        }
        if let origins = top.value("origins", .list(of: .text(Origin.parse), max: Bounds.origins)) {
            settings.origins = origins.value.map(\.value)
        }
        top.set(&settings.threads, "threads", .number(in: Bounds.threads))
        top.map("limits") { readLimits(&$0, &settings.limits) }
        top.map("timeouts") { map in
            map.set(&settings.timeouts.head, "head", .duration(in: Bounds.timeout))
            map.set(&settings.timeouts.body, "body", .duration(in: Bounds.timeout))
            map.set(&settings.timeouts.idle, "idle", .duration(in: Bounds.timeout))
            map.set(&settings.timeouts.drain, "drain", .duration(in: Bounds.drain))
        }
        OperationReader(reading: reading).read(&top, &settings)

        readState(&top, &settings)
        let shared = SharedReader(reading: reading).read(&top)
        settings.shared = shared?.value

        let start = SourcePosition(file: reading.file, line: 1, column: 1)
        let isAbsent = !top.has("providers")
        if let providers = top.entries("providers", max: Settings.providersMax) {
            let hasUnixListener = settings.listeners.contains { if case .unix = $0 { true } else { false } }
            settings.providers = read(
                providers.value, hasUnixListener: hasUnixListener || !listenersAreGood)
            if providers.value.isEmpty {
                reading.report(providers.position, "\"providers\" is empty; describe at least one")
            }
        } else if isAbsent {
            reading.report(start, "there are no \"providers\"; describe at least one, as in the example")
        }
        if let shared { checkStateKey(top, settings, shared: shared.position) }
        top.finish()
        return settings
    }

    /// `state` and `state_key`: one key or a list.
    func readState(_ top: inout MapReader, _ settings: inout Settings) {
        let directory = reading.directory
        top.set(
            &settings.state, "state",
            .text { text throws(Misfit) in try FilePath.parse(text, in: directory) })
        let key = Format<Secret> { node, key, reading in
            SecretReader(reading: reading).read(node, "\"\(key)\"") { secret in
                secret.fault(isKey: true)
                    ?? secret.reveal { bytes in
                        bytes.count < Bounds.stateKeyBytesMin
                            ? "is too short to keep anything secret; make one with: openssl rand -base64 32"
                            : nil
                    }
            }?.secret
        }
        let keys = top.value("state_key", .list(of: key, least: 1, max: Bounds.stateKeys))?.value ?? []
        settings.stateKeys = keys.map(\.value)
        for (index, key) in keys.enumerated() where keys[..<index].contains(where: { $0.value == key.value })
        {
            reading.report(key.position, "\"state_key\" has this key twice; keep one of them")
        }
    }

    /// Replicas open what others have sealed. Limits alone have nothing to seal.
    private func checkStateKey(_ top: MapReader, _ settings: Settings, shared: SourcePosition) {
        guard !top.has("state_key"), settings.providers.contains(where: { !$0.credentials.isEmpty }) else {
            return
        }
        reading.report(
            shared,
            """
            "shared" has replicas use each other's tokens, which a key of their own would not open; add \
            "state_key", the same for all (make one with: openssl rand -base64 32)
            """)
    }

    private func readLimits(_ map: inout MapReader, _ limits: inout ClientLimits) {
        map.set(&limits.connections, "connections", .number(in: Bounds.clientConnections))
        map.set(&limits.head, "head", .size(in: ClientLimits.headRange))
        if let target = map.value("target", .size(in: Bounds.target)) {
            limits.target = target.value
            // The target is a part of the head.
            if target.value > limits.head {
                reading.report(
                    target.position, "\"target\" is larger than \"head\", which holds it; raise \"head\"")
            }
        }
        map.set(&limits.headers, "headers", .number(in: Bounds.clientHeaders))
    }

    private func read(_ entries: [YamlNode.Entry], hasUnixListener: Bool) -> [ProviderSettings] {
        var providers: [ProviderSettings] = []
        var owners: [String: YamlNode.Entry] = [:]
        for entry in entries {
            let reader = ProviderReader(entry: entry, hasUnixListener: hasUnixListener, reading: reading)
            guard let (provider, place) = reader.read() else { continue }
            providers.append(provider)
            if let owner = owners[provider.route] {
                reading.report(
                    place,
                    """
                    the route of \(Quantity.quoted(entry.key)) is already that of \
                    \(Quantity.quoted(owner.key)) on line \(owner.position.line); give one of them another \
                    "route"
                    """)
            } else {
                owners[provider.route] = entry
            }
        }
        return providers
    }
}
