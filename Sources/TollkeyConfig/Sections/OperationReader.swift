import TollkeyCore

/// What an operator sees and does: `log`, `traces`, `audit`, and who may change things.
struct OperationReader {
    let reading: Reading

    func read(_ top: inout MapReader, _ settings: inout Settings) {
        readLog(&top, &settings.log)
        settings.traces = readTraces(&top)
        top.map("audit") { map in
            map.set(&settings.audit.keep, "keep", .duration(in: Bounds.auditKeep))
        }
        readTokens(&top, &settings.admin)
        readPeers(&top, &settings.admin)
    }

    private func readLog(_ top: inout MapReader, _ log: inout LogSettings) {
        top.map("log") { map in
            map.set(&log.level, "level", .choice(of: LogLevel.allCases))
            map.set(&log.access, "access", .flag)
            map.set(&log.sample, "sample", .share)
        }
    }

    private func readTraces(_ top: inout MapReader) -> TraceSettings? {
        var traces: TraceSettings?
        var isNowhere = false
        let place = top.map("traces") { map in
            let format = Format<UpstreamURL>.text { text throws(Misfit) in try UpstreamURL(parsing: text) }
            let endpoint = map.value("endpoint", format)
            isNowhere = !map.has("endpoint")
            traces = endpoint.map { TraceSettings(endpoint: $0.value) }
            let headers = readSecrets(&map, "headers", max: TraceSettings.headersMax) { name in
                do throws(Misfit) {
                    _ = try HeaderName.parse(name)
                    return nil
                } catch { return error.message }
            }
            traces?.headers = headers
            if let sample = map.value("sample", .share) { traces?.sample = sample.value }
        }
        if let place, isNowhere {
            reading.report(
                place,
                "\"traces\" needs an \"endpoint\"; add it, as in endpoint: http://127.0.0.1:4318/v1/traces")
        }
        return traces
    }

    private func readTokens(_ top: inout MapReader, _ admin: inout AdminSettings) {
        admin.tokens = readSecrets(
            &top, "admin_tokens", max: AdminSettings.tokensMax, least: Bounds.adminTokenBytesMin
        ) { name in
            Quantity.isName(name)
                ? nil : "must have a name of 1 to \(Bounds.nameLength) letters, digits, \"_\" and \"-\""
        }
        guard let place = top.place(of: "admin_tokens"), !top.has("admin") else { return }
        reading.report(
            place, "\"admin_tokens\" are for \"admin\", and there is none; add it, or take them out")
    }

    private func readPeers(_ top: inout MapReader, _ admin: inout AdminSettings) {
        guard let (rule, place) = top.peers("admin_peers") else { return }
        admin.peers = rule
        let hasUnix = admin.listeners.contains { if case .unix = $0 { true } else { false } }
        guard !hasUnix else { return }
        reading.report(
            place,
            """
            "admin_peers" is what the kernel says on a unix socket, and "admin" is none; add "unix:/path" to \
            "admin", or take it out
            """)
    }

    /// A map of the user's names to secrets.
    private func readSecrets(
        _ map: inout MapReader, _ key: String, max: Int, least: Int = 1, nameFault: (String) -> String?
    ) -> [String: Secret] {
        var secrets: [String: Secret] = [:]
        for entry in map.entries(key, max: max)?.value ?? [] {
            if let fault = nameFault(entry.key) {
                reading.report(entry.position, "an entry of \"\(key)\" \(fault); rename this one")
                continue
            }
            let found = SecretReader(reading: reading).read(entry.value, "\"\(entry.key)\"") {
                $0.fault(isKey: false)
                    ?? ($0.reveal { $0.count } < least ? "is too short: it could be guessed" : nil)
            }
            secrets[entry.key] = found?.secret
        }
        return secrets
    }
}

extension MapReader {
    /// Users and groups, and where they stand. nil when absent.
    mutating func peers(_ key: String) -> (rule: PeerRule, place: SourcePosition)? {
        let format = Format<[Placed<Int>]>.list(
            of: .number(in: Bounds.peer), least: 1, max: Bounds.peers)
        var rule = PeerRule()
        var namesNobody = false
        let place = map(key) { map in
            if let uids = map.value("uid", format) { rule.uids = uids.value.map { UInt32($0.value) } }
            if let gids = map.value("gid", format) { rule.gids = gids.value.map { UInt32($0.value) } }
            namesNobody = !map.has("uid") && !map.has("gid")
        }
        guard let place else { return nil }
        if namesNobody {
            reading.report(place, "\"\(key)\" lists nobody; name a \"uid\" or a \"gid\", or take it out")
        }
        return (rule, place)
    }
}

extension Format<Double> {
    /// From 0 to 1, with at most six decimals.
    static var share: Format {
        let expected = "must be a number from 0 to 1, such as 0.05"
        return .scalar(orElse: expected) { scalar throws(Misfit) in
            let isPlain = scalar.text.utf8.allSatisfy { Characters.isDigit($0) || $0 == UInt8(ascii: ".") }
            guard scalar.isPlain, isPlain, (1...8).contains(scalar.text.utf8.count),
                let share = Double(scalar.text), (0...1).contains(share)
            else { throw Misfit(expected) }
            return share
        }
    }
}
