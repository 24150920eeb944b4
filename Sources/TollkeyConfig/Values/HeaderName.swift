import TollkeyCore

/// Names of header fields that a provider may set or let through.
package enum HeaderName {
    /// Framing and hop-by-hop (RFC 9110 §7.6.1): the proxy's own business on each connection. Folded.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding",
        "upgrade", "via",
    ]

    /// Lower case, `-` for `_`: CGI and WSGI cannot tell `X-App-ID` from `x_app_id`.
    package static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map { $0 == 0x5f ? 0x2d : Characters.lowercased($0) }, as: UTF8.self)
    }

    /// The name as it was written.
    package static func parse(_ name: String) throws(Misfit) -> String {
        guard (1...Bounds.headerNameBytes).contains(name.utf8.count),
            name.utf8.allSatisfy({ Characters.isToken($0) })
        else { throw Misfit("is no header name; use letters, digits and \"-\"") }
        let folded = folded(name)
        guard !reserved.contains(folded), !folded.utf8.starts(with: "proxy-".utf8) else {
            throw Misfit("is a header that the proxy manages on each connection by itself; take it out")
        }
        return name
    }
}
