/// Whether a request was meant for this proxy, and by whom: `Host`, `Origin` and `Sec-Fetch-Site`.
///
/// A page in a browser can make its own name resolve to 127.0.0.1 (DNS rebinding) or post a form across sites; such
/// a call would be sent on with credentials. So the name must be a known one, and pages need permission.
package struct HostGuard: Sendable {
    /// Lower case, without port.
    private let names: [[UInt8]]
    private let origins: [[UInt8]]

    package init(names: [String], origins: [String]) {
        self.names = (["127.0.0.1", "localhost", "::1"] + names).map { name in
            // In `Host` an IPv6 address stands in brackets (RFC 9110 §7.2).
            name.utf8.contains(UInt8(ascii: ":")) ? Array("[\(name)]".utf8) : Array(name.utf8)
        }
        self.origins = origins.map { Array($0.utf8) }
    }

    /// The failure to answer with, or nil.
    package func refuses(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> FailureKind? {
        if let host = head.fields.host {
            let value = bytes.extracting(head.fields.lines[host].value)
            if !isKnown(value) { return .forbiddenHost }
            // RFC 9112 §3.2.2 lets the target win over Host; two names are refused instead.
            if let authority = head.target.authority, !same(bytes.extracting(authority), value) {
                return .badRequest
            }
        } else if let authority = head.target.authority, !isKnown(bytes.extracting(authority)) {
            return .forbiddenHost
        }
        return head.fields.hasBrowserFields && isForeignPage(head, bytes) ? .forbiddenOrigin : nil
    }

    private func isKnown(_ host: Span<UInt8>) -> Bool {
        var end = host.count
        var i = end
        while i > 0, Characters.isDigit(host[i - 1]) { i -= 1 }
        if i > 0, i < end, end - i <= 5, host[i - 1] == UInt8(ascii: ":") { end = i - 1 }
        for name in names where host.extracting(0..<end).equalsIgnoringCase(name) { return true }
        return false
    }

    private func same(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for i in a.indices where Characters.lowercased(a[i]) != Characters.lowercased(b[i]) { return false }
        return true
    }

    /// `Sec-Fetch-Site: none` is a person's own doing, `same-origin` a page of this proxy; anything else is a page of
    /// somebody else, which needs to be listed by its `Origin`.
    private func isForeignPage(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        var isListed = false
        var isCrossSite = false
        for line in head.fields.lines {
            let value = bytes.extracting(line.value)
            if line.known == .origin {
                isListed = origins.contains { value.equalsIgnoringCase($0) }
                if !isListed && !isOwn(value, head, bytes) { return true }
            } else if line.known == .secFetchSite {
                if !value.equalsIgnoringCase("none"), !value.equalsIgnoringCase("same-origin") {
                    isCrossSite = true
                }
            }
        }
        return isCrossSite && !isListed
    }

    /// The origin of this proxy itself, as the request's own `Host` has it.
    private func isOwn(_ origin: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let host = head.fields.host, origin.hasPrefixIgnoringCase("http://") else { return false }
        return same(origin.extracting(7..<origin.count), bytes.extracting(head.fields.lines[host].value))
    }
}
