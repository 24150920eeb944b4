import TollkeyCore

/// Who may look, and who may change things.
struct AdminGuard: Sendable {
    let settings: AdminSettings
    /// Names besides loopback's that may stand in `Host`. Lower case.
    let hosts: [String]
    /// The user that this process runs as.
    let ownUID: UInt32

    /// nil when the request was meant for this listener, and does not come from a page elsewhere.
    ///
    /// A page can have its own name resolve to loopback (DNS rebinding), so that a name must be known; an address cannot
    /// be made to mean another machine.
    func refusal(_ request: AdminRequest) -> AdminAnswer? {
        guard let host = request.host?.lowercased(), isKnown(host) else {
            return .problem(
                .forbiddenHost, "Host must be localhost, an address, or one of 'hosts' in proxy.yaml.")
        }
        let isForeign =
            request.origin.map { $0.lowercased() != "http://\(host)" } ?? false
            || !["none", "same-origin", nil].contains(request.site?.lowercased())
        return isForeign ? .problem(.forbiddenOrigin, "The request comes from a page elsewhere.") : nil
    }

    private func isKnown(_ host: String) -> Bool {
        let name = Self.withoutPort(host)
        return name == "localhost" || hosts.contains(name) || SocketAddress(host: name, port: 0) != nil
    }

    private static func withoutPort(_ host: String) -> String {
        let isPort: (Substring) -> Bool = {
            (1...5).contains($0.count) && $0.utf8.allSatisfy(Characters.isDigit)
        }
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            let rest = host[host.index(after: end)...]
            let isWhole = rest.isEmpty || rest.first == ":" && isPort(rest.dropFirst())
            return isWhole ? String(host[..<end].dropFirst()) : ""
        }
        guard let colon = host.lastIndex(of: ":") else { return host }
        return isPort(host[host.index(after: colon)...]) ? String(host[..<colon]) : ""
    }

    /// nil: this one may look only. `peer`: who is at the other end of a unix socket.
    func actor(_ request: AdminRequest, peer: Admission.Peer?) -> AuditActor? {
        if let peer {
            let isKnown =
                peer.uid == 0 || peer.uid == ownUID || settings.peers.uids.contains(peer.uid)
                || settings.peers.gids.contains(peer.gid)
            if isKnown { return .peer(peer.uid) }
        }
        guard let bearer = request.bearer else { return nil }
        // All are compared, so that time tells nothing.
        var found: String?
        for (name, token) in settings.tokens.sorted(by: { $0.key < $1.key })
        where Self.areSame(bearer, token) { found = name }
        return found.map { .token($0) }
    }

    private static func areSame(_ a: Secret, _ b: Secret) -> Bool {
        a.reveal { a in
            b.reveal { b in
                guard a.count == b.count else { return false }
                var difference: UInt8 = 0
                for i in 0..<a.count { difference |= a[i] ^ b[i] }
                return difference == 0
            }
        }
    }
}
