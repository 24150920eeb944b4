import TollkeyCore

extension ProviderReader {
    /// `upstream`, or what `environment` selects from `environments`; and `addresses`.
    func readUpstream(_ map: inout MapReader, _ provider: inout ProviderSettings, use: String?) {
        let url = Format<UpstreamURL>.text { text throws(Misfit) in try UpstreamURL(parsing: text) }
        let upstream = map.value("upstream", url)
        let environments = readEnvironments(&map, url)
        let chosen = map.value("environment", .text { text throws(Misfit) in text })
        let example = map.value(
            "upstream_example",
            .text { text throws(Misfit) in
                _ = try UpstreamURL(parsing: text)
                return text
            })

        var found = upstream
        if let chosen, map.has("upstream") {
            reading.report(
                chosen.position,
                "\"environment\" and \"upstream\" both say where the provider is; keep one of them")
        } else if let chosen {
            found = select(chosen, from: environments)
        } else if !map.has("upstream") {
            found = environments[Self.defaultEnvironment]?.url
            // A description that does not exist has been reported, and might have had one.
            if environments[Self.defaultEnvironment] == nil, use != nil || !map.has("use") {
                reportMissing(environments, use: use, example: example?.value)
            }
        }
        if let found { provider.upstream = found.value }
        provider.addresses = readAddresses(&map, port: provider.upstream.port)
        if let found { checkPlainHTTP(found, provider.addresses) }
    }

    private static let defaultEnvironment = "live"

    /// A name in `environments`; its URL is nil when it has been reported.
    private struct Environment {
        var url: Placed<UpstreamURL>?
    }

    private func readEnvironments(
        _ map: inout MapReader, _ format: Format<UpstreamURL>
    ) -> [String: Environment] {
        var environments: [String: Environment] = [:]
        for entry in map.entries("environments", max: Bounds.environments)?.value ?? [] {
            let url = format.read(entry.value, "environments", reading)
            environments[entry.key] = Environment(
                url: url.map { Placed(value: $0, position: entry.value.position) })
        }
        return environments
    }

    private func select(
        _ chosen: Placed<String>, from environments: [String: Environment]
    ) -> Placed<UpstreamURL>? {
        if let environment = environments[chosen.value] { return environment.url }
        let names = environments.keys.sorted()
        let known =
            names.isEmpty
            ? "this provider has no \"environments\"; write its address as \"upstream\""
            : "there is \(names.joined(separator: " and "))"
        let near = NearMiss.of(chosen.value, among: names).map { "did you mean \"\($0)\"?" }
        reading.report(chosen.position, "\"environment\" names none of the provider's; \(near ?? known)")
        return nil
    }

    private func reportMissing(_ environments: [String: Environment], use: String?, example: String?) {
        let name = Quantity.quoted(entry.key)
        let sample = "\"upstream: \(example ?? "https://api.example.com")\""
        let names = environments.keys.sorted()
        guard let use else {
            let isShipped = ShippedProviders.names.contains(entry.key)
            let hint = isShipped ? "; or take the shipped description over with \"use: \(entry.key)\"" : ""
            reading.report(
                entry.position, "\(name) has no upstream; write its address, as in \(sample)\(hint)")
            return
        }
        let offer = names.isEmpty ? "" : "write \"environment: \(names.joined(separator: " or "))\", or "
        reading.report(
            entry.position,
            """
            \(name) has no upstream: "\(use)" publishes no live address; \(offer)write the one \
            that you were given, as in \(sample)
            """)
    }

    private func readAddresses(_ map: inout MapReader, port: Int) -> [UpstreamAddress] {
        let format = Format<UpstreamAddress>.text { text throws(Misfit) in
            if IPAddress(text) != nil { return UpstreamAddress(host: text.lowercased(), port: port) }
            let authority = try Authority(text, ports: Bounds.port)
            guard IPAddress(authority.host) != nil else {
                throw Misfit("must be literal addresses, such as 192.0.2.7 or 192.0.2.7:8443")
            }
            return UpstreamAddress(host: authority.host, port: authority.port ?? port)
        }
        guard let found = map.value("addresses", .list(of: format, max: Bounds.addresses)) else { return [] }
        var met: Set<UpstreamAddress> = []
        for address in found.value where !met.insert(address.value).inserted {
            reading.report(address.position, "\"addresses\" has this one twice; keep one of them")
        }
        return found.value.map(\.value)
    }

    /// Where the connection goes counts, not the name: `addresses` come first.
    private func checkPlainHTTP(_ upstream: Placed<UpstreamURL>, _ addresses: [UpstreamAddress]) {
        guard upstream.value.scheme == .http else { return }
        let hosts = addresses.isEmpty ? [upstream.value.host] : addresses.map(\.host)
        guard !hosts.allSatisfy(UpstreamURL.isLoopback) else { return }
        reading.report(
            upstream.position,
            """
            the upstream is plain HTTP to another machine, so that everybody on the way could read the \
            credentials; write https://
            """)
    }
}
