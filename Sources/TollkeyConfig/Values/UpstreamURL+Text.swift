package import TollkeyCore

extension UpstreamURL {
    /// Parses `https://host[:port][/base]`. Nothing is normalised but letters' case in scheme and host, and
    /// one slash at the end: what two readers could understand differently is refused.
    package init(parsing text: String) throws(Misfit) {
        let (scheme, rest) = try Self.scheme(of: text)
        let slash = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "\\" } ?? rest.endIndex
        let (host, port) = try Self.place(String(rest[..<slash]))
        let path = try Self.basePath(Array(rest[slash...].utf8))
        self.init(scheme: scheme, host: host, port: port ?? (scheme == .https ? 443 : 80), basePath: path)
    }

    /// The scheme and what follows its `://`.
    static func scheme(of text: String) throws(Misfit) -> (Scheme, Substring) {
        guard text.utf8.count <= Bounds.textBytes else { throw Misfit("is too long for a URL") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Misfit("has a space or a letter beyond ASCII in it; write the URL encoded")
        }
        let word = text.prefix { $0 != ":" }
        let rest = text[word.endIndex...]
        guard let scheme = Scheme(rawValue: word.lowercased()), rest.utf8.starts(with: "://".utf8) else {
            throw Misfit("must be a URL that begins with https://")
        }
        return (scheme, rest.dropFirst(3))
    }

    /// Host and port behind the `://`.
    static func place(_ text: String) throws(Misfit) -> (host: String, port: Int?) {
        guard !text.utf8.contains(UInt8(ascii: "@")) else {
            throw Misfit(
                "has a user or password in it; put them under \"secrets\" and name them in \"inject\"")
        }
        let authority = try Authority(text, ports: Bounds.port)
        let host = authority.isBracketed ? authority.host : try HostName.parseOrAddress(authority.host)
        return (host, authority.port)
    }

    private static func basePath(_ path: [UInt8]) throws(Misfit) -> String {
        if path.contains(UInt8(ascii: "?")) {
            throw Misfit("has a query; an upstream is a base URL without one")
        }
        let trimmed = path.last == UInt8(ascii: "/") ? path.dropLast() : path[...]
        try checkPath(trimmed)
        return String(decoding: trimmed, as: UTF8.self)
    }

    /// Refuses a path (empty or from its first slash on) that two readers could understand differently.
    static func checkPath(_ path: ArraySlice<UInt8>) throws(Misfit) {
        if path.contains(UInt8(ascii: "#")) { throw Misfit("has a fragment (\"#\"); take it out") }
        guard path.allSatisfy(Characters.isPath) else {
            throw Misfit("has a character in its path that must be encoded")
        }
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        {
            let plain = try decoded(segment, in: "path")
            if plain.isEmpty { throw Misfit("has \"//\" in its path; write one slash") }
            if plain.elementsEqual(".".utf8) || plain.elementsEqual("..".utf8) {
                throw Misfit("has a dot segment in its path; write the path that is meant")
            }
            if plain.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) {
                throw Misfit("has an encoded slash, backslash or control character in its path")
            }
        }
    }

    /// `part` of the URL is where `text` stands, for messages.
    static func decoded(_ text: ArraySlice<UInt8>, in part: String) throws(Misfit) -> [UInt8] {
        var bytes: [UInt8] = []
        var at = text.startIndex
        while at < text.endIndex {
            guard text[at] == UInt8(ascii: "%") else {
                bytes.append(text[at])
                at += 1
                continue
            }
            guard at + 2 < text.endIndex, let high = Characters.hexValue(text[at + 1]),
                let low = Characters.hexValue(text[at + 2])
            else { throw Misfit("has a \"%\" in its \(part) that no two hexadecimal digits follow") }
            bytes.append(high << 4 | low)
            at += 3
        }
        return bytes
    }

    /// Whether a connection to `host` stays on this machine.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || IPAddress(host)?.isLoopback == true
    }
}
