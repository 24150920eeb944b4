import TollkeyCore

/// Where a browser is sent back to after a login, taken apart. The configuration's reader has checked the text.
struct RedirectURI {
    let isPlain: Bool
    /// Without brackets.
    let host: String
    let port: Int
    /// Without a query.
    let path: String

    init?(_ text: String) {
        var rest = text[...]
        if rest.hasPrefix("http://") {
            isPlain = true
        } else if rest.hasPrefix("https://") {
            isPlain = false
        } else {
            return nil
        }
        rest = rest.dropFirst(isPlain ? 7 : 8)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" && $0 != "#" }
        self.path = path.isEmpty ? "/" : String(path)
        let portText: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end]).lowercased()
            portText = authority[authority.index(after: end)...]
        } else {
            host = authority.prefix { $0 != ":" }.lowercased()
            portText = authority.drop { $0 != ":" }
        }
        guard !host.isEmpty else { return nil }
        if portText.isEmpty {
            port = isPlain ? 80 : 443
        } else {
            guard let number = Int(portText.dropFirst()), (1...65_535).contains(number) else { return nil }
            port = number
        }
    }

    /// Whether this machine can wait for the redirect itself (RFC 8252 §7.3).
    var canListen: Bool {
        isPlain && (host == "localhost" || host == "::1" || host.hasPrefix("127."))
    }
}
