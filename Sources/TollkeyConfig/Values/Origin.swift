import TollkeyCore

/// `scheme://host[:port]` as a browser sends it in `Origin` (RFC 6454 §6.2): lower case, no default port.
package enum Origin {
    package static func parse(_ text: String) throws(Misfit) -> String {
        if text == "*" {
            throw Misfit("cannot be everybody: any page could then spend your credentials; name the origins")
        }
        let (scheme, rest) = try UpstreamURL.scheme(of: text)
        guard !rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "\\" }) else {
            throw Misfit("has a path; an origin ends behind its host and port, without a slash")
        }
        let (host, port) = try UpstreamURL.place(String(rest))
        let url = UpstreamURL(
            scheme: scheme, host: host, port: port ?? (scheme == .https ? 443 : 80), basePath: "")
        return "\(scheme.rawValue)://\(url.authority)"
    }
}
