import TollkeyCore

/// One entry of `providers`: the user's lines laid over a shipped description, or alone.
struct ProviderReader {
    /// As the user's file has it.
    let entry: YamlNode.Entry
    let hasUnixListener: Bool
    let reading: Reading

    /// The provider and where its route is said, in the file or by its name. nil when there is nothing to go
    /// on with. When problems were reported the settings may be incomplete; they are never handed out then.
    func read() -> (ProviderSettings, SourcePosition)? {
        checkName()
        guard isMap() else { return nil }
        let node = merged()
        let names = Names(node, of: entry, reading: reading)
        var map = MapReader(node, path: "providers.*", at: entry.position, reading: reading)
        // Already looked at by `merged`; asked for here so that it is a known key.
        let use = map.value("use", .text(Self.shippedName))
        let variants = readVariants(&map)

        var provider = ProviderSettings(name: entry.key, upstream: Self.nowhere)
        var place = entry.position
        if let route = map.value("route", .text(Route.parse)) {
            provider.route = route.value
            place = route.position
        }
        readUpstream(&map, &provider, use: use?.value)
        readTLS(&map, &provider)
        readNamed(&map, &provider, names, variants)
        let allowIsKnown = readAllow(&map, &provider)
        readCategories(&map, &provider, allowIsKnown: allowIsKnown)
        readPeers(&map, &provider)
        readRequestID(&map, &provider)
        readBounds(&map, &provider)
        _ = map.value("docs", .text { text throws(Misfit) in try UpstreamURL.scheme(of: text) })
        checkVariants(variants, map)
        map.finish(later: LaterKeys.provider)
        return (provider, place)
    }

    /// All that has templates in it, and then the secrets that these need.
    private func readNamed(
        _ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names,
        _ variants: [YamlNode.Entry]
    ) {
        let problemsBefore = reading.problemCount
        provider.values = ValueReader(names: names).read(&map)
        readHeaders(&map, &provider, names)
        readCredentials(&map, &provider, names)
        readSteps(&map, &provider, names)
        provider.otp = OTPReader(names: names).read(&map)
        readScopes(&map, &provider)
        let areAllUsesKnown = reading.problemCount == problemsBefore
        readSecrets(&map, &provider, names, variants, areAllUsesKnown: areAllUsesKnown)
    }

    /// Stands in for an upstream that could not be read.
    private static let nowhere = UpstreamURL(scheme: .https, host: "", port: 443, basePath: "")

    private static func shippedName(_ text: String) throws(Misfit) -> String {
        guard ShippedProviders.names.contains(text) else {
            let names = ShippedProviders.names
            throw Misfit(
                NearMiss.of(text, among: names).map {
                    "names no shipped description; did you mean \"\($0)\"?"
                }
                    ?? "names no shipped description; there are \(names.joined(separator: ", "))")
        }
        return text
    }

    private func checkName() {
        guard !Quantity.isName(entry.key) else { return }
        reading.report(
            entry.position,
            "a provider's name is 1 to \(Bounds.nameLength) letters, digits, \"_\" and \"-\"; rename this one"
        )
    }

    private func isMap() -> Bool {
        switch entry.value.content {
        case .map: return true
        case .refused: return false
        case .scalar, .list:
            let name = Quantity.quoted(entry.key)
            reading.report(
                entry.value.isEmpty ? entry.position : entry.value.position,
                "\(name) must be a map (\"key: value\" lines below it); found \(entry.value.kind)")
            return false
        }
    }

    /// Whether it could be read, so that conclusions may be drawn from it.
    private func readAllow(_ map: inout MapReader, _ provider: inout ProviderSettings) -> Bool {
        let problemsBefore = reading.problemCount
        let format = Format<CallPattern>.text(CallPattern.parse)
        let allow = map.value("allow", .list(of: format, least: 1, max: Bounds.allow))
        provider.allow = allow?.value.map(\.value)
        return reading.problemCount == problemsBefore
    }

    private func readPeers(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        guard let (rule, place) = map.peers("peers") else { return }
        provider.peers = rule
        if !hasUnixListener {
            reading.report(
                place,
                """
                "peers" is what the kernel says on a unix socket, and no listener is one; add \
                "unix:/path" to "listen", or take it out
                """)
        }
    }

    private func readRequestID(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        let format = Format<AnswerPlace>.text { text throws(Misfit) in
            let place = try AnswerPlace.parse(text)
            if case .content = place { throw Misfit("cannot be the whole content; name a place in it") }
            return place
        }
        let places = map.value("request_id", .list(of: format, max: Bounds.requestIDPlaces))
        if let places { provider.requestID = places.value.map(\.value) }
    }

    private func readBounds(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        map.map("timeouts") { map in
            map.set(&provider.timeouts.connect, "connect", .duration(in: Bounds.timeout))
            map.set(&provider.timeouts.tls, "tls", .duration(in: Bounds.timeout))
            map.set(&provider.timeouts.head, "head", .duration(in: Bounds.timeout))
            map.set(&provider.timeouts.idle, "idle", .duration(in: Bounds.timeout))
            map.set(&provider.timeouts.whole, "whole", .duration(in: Bounds.timeout))
        }
        map.map("pool") { map in
            map.set(&provider.pool.connections, "connections", .number(in: Bounds.poolConnections))
            if let idle = map.value("idle", .number(in: Bounds.poolIdle)) {
                provider.pool.idle = idle.value
                if idle.value > provider.pool.connections {
                    reading.report(
                        idle.position,
                        "\"idle\" is more than \"connections\", which counts them too; lower it")
                }
            }
            // A pool smaller than the default of idle connections keeps all that it has.
            provider.pool.idle = min(provider.pool.idle, provider.pool.connections)
            map.set(&provider.pool.idleTimeout, "idle_timeout", .duration(in: Bounds.timeout))
            map.set(&provider.pool.waiting, "waiting", .number(in: Bounds.poolWaiting))
            map.set(&provider.pool.wait, "wait", .duration(in: Bounds.poolWait))
        }
        map.map("body") { map in
            map.set(&provider.body.max, "max", .size(in: Bounds.bodyMax))
            map.set(&provider.body.replay, "replay", .size(in: Bounds.bodyReplay))
        }
    }
}
