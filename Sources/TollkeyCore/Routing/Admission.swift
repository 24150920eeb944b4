/// May this call go on, and where to? Guard, route, allow: the first steps of every request, as one decision.
package struct Admission: Sendable {
    private let hosts: HostGuard
    private let routes: RouteTable
    private let rules: [Rule]

    private struct Rule: Sendable {
        let allow: [CallPattern]?
        let scopes: [ScopeSettings]?
        let peers: PeerRule?
        let contentMax: Int
        let name: String
    }

    /// Who is on the other end of a unix socket, by the kernel's word.
    package struct Peer: Sendable, Equatable {
        package let uid: UInt32
        package let gid: UInt32
        package init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    package enum Verdict: Sendable, Equatable {
        case admitted(RouteTable.Match)
        /// `route` names the provider, when one was found.
        case refused(Failure, route: Int?)
    }

    /// `hostNames` are the listeners' own addresses, besides loopback's.
    package init(_ settings: Settings, hostNames: [String]) {
        hosts = HostGuard(names: settings.hosts + hostNames, origins: settings.origins)
        routes = RouteTable(settings.providers.map(\.route))
        rules = settings.providers.map {
            Rule(
                allow: $0.allow, scopes: $0.scopes, peers: $0.peers, contentMax: $0.body.max, name: $0.name)
        }
    }

    package func decide(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, peer: Peer?) -> Verdict {
        if let kind = hosts.refuses(head, bytes) { return .refused(refusal(kind), route: nil) }
        let path = bytes.extracting(head.target.path)
        guard let match = routes.match(path) else {
            return .refused(Failure(.noRoute, "No provider is configured for this path."), route: nil)
        }
        let rule = rules[match.route]
        if let peers = rule.peers, !Self.passes(peers, peer) {
            return .refused(
                Failure(
                    .forbiddenPeer, "Provider \(rule.name) is open to certain users on a unix socket only."),
                route: match.route)
        }
        let method = bytes.extracting(head.method)
        // TRACE would have the provider send the injected credential back in the answer (RFC 9110 §9.3.8).
        if method.equals("TRACE") || method.equals("CONNECT") {
            return .refused(
                Failure(.notAllowed, "TRACE and CONNECT are never forwarded."), route: match.route)
        }
        if let allow = rule.allow {
            guard allow.contains(where: { Self.matches($0, method: method, path: path, match) }) else {
                return .refused(
                    Failure(
                        .notAllowed, "The 'allow' list of provider \(rule.name) has no pattern for this call."
                    ),
                    route: match.route)
            }
        }
        if let scopes = rule.scopes {
            let isOpen = scopes.contains { scope in
                scope.calls.contains { Self.matches($0, method: method, path: path, match) }
            }
            guard isOpen else {
                return .refused(Failure(.notAllowed, Self.refusal(scopes)), route: match.route)
            }
        }
        if case .length(let length) = head.framing, length > rule.contentMax {
            return .refused(Failure(HeadError.contentTooLarge), route: match.route)
        }
        return .admitted(match)
    }

    /// Whether `pattern` means this call: patterns are about what lies behind the route, and what is sent for the route
    /// alone is its root.
    package static func matches(
        _ pattern: CallPattern, method: Span<UInt8>, path: Span<UInt8>, _ match: RouteTable.Match
    ) -> Bool {
        let isRoot = path.count == match.prefixLength
        return pattern.matches(
            method: method, path: isRoot ? root.span : path.extracting(match.prefixLength..<path.count))
    }

    private static let root: [UInt8] = [UInt8(ascii: "/")]

    /// How many scopes an answer names.
    package static let scopesNamedMax = 20

    private static func refusal(_ scopes: [ScopeSettings]) -> String {
        if scopes.isEmpty { return "The token has no scopes, so that it opens no call." }
        let names = scopes.prefix(scopesNamedMax).map(\.name) + (scopes.count > scopesNamedMax ? ["…"] : [])
        return "The token's scopes (\(names.joined(separator: ", "))) do not open this call."
    }

    private func refusal(_ kind: FailureKind) -> Failure {
        switch kind {
        case .forbiddenHost:
            Failure(
                kind, "Host must be a loopback name, a listener's address, or one of 'hosts' in proxy.yaml.")
        case .forbiddenOrigin:
            Failure(kind, "The call comes from a web page whose origin is not among 'origins' in proxy.yaml.")
        default: Failure(kind, "The target's host and the Host field differ.")
        }
    }

    private static func passes(_ rule: PeerRule, _ peer: Peer?) -> Bool {
        guard let peer else { return false }
        return rule.uids.contains(peer.uid) || rule.gids.contains(peer.gid)
    }
}
