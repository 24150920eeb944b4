import TollkeyCore

/// `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS, as in the scheme's registration with IANA;
/// without its query.
struct RedisURL {
    /// The forms that may be written, for messages.
    static let forms = "rediss://[user[:password]@]host[:port][/database]"

    var isEncrypted: Bool
    /// A name in lower case or a literal address without brackets.
    var host: String
    var port: Int?
    var user: String?
    var password: Secret?
    var database = 0

    init(parsing text: String) throws(Misfit) {
        guard text.utf8.count <= Bounds.textBytes else { throw Misfit("is too long for a URL") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Misfit("has a space or a letter beyond ASCII in it; write the URL encoded")
        }
        let word = text.prefix { $0 != ":" }
        let behind = text[word.endIndex...]
        guard ["redis", "rediss"].contains(word.lowercased()), behind.utf8.starts(with: "://".utf8) else {
            throw Misfit("must be a Redis server's address, such as \(Self.forms)")
        }
        isEncrypted = word.lowercased() == "rediss"
        let rest = behind.dropFirst(3)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard !rest[end...].contains("@") else {
            throw Misfit(
                "has a \"/\", \"?\" or \"#\" in its user or password; write %2F, %3F or %23 for it")
        }
        var place = rest[..<end]
        if let at = place.lastIndex(of: "@") {
            (user, password) = try Self.account(Array(place[..<at].utf8))
            place = place[place.index(after: at)...]
        }
        let authority = try Authority(String(place), ports: Bounds.port)
        host = authority.isBracketed ? authority.host : try HostName.parseOrAddress(authority.host)
        port = authority.port
        database = try Self.database(rest[end...])
    }

    private static func account(_ text: [UInt8]) throws(Misfit) -> (user: String?, password: Secret?) {
        guard !text.contains(UInt8(ascii: "@")) else {
            throw Misfit("has an \"@\" in its user or password; write %40 for it")
        }
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        let user = try UpstreamURL.decoded(text[..<colon], in: "user")
        guard user.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Misfit("has a user with a space, or a letter beyond ASCII")
        }
        let name = user.isEmpty ? nil : String(decoding: user, as: UTF8.self)
        guard colon != text.endIndex else { return (name, nil) }
        let password = try UpstreamURL.decoded(text[(colon + 1)...], in: "password")
        guard !password.isEmpty else { throw Misfit("has a \":\" and no password behind it") }
        return (name, Secret(password))
    }

    private static func database(_ path: Substring) throws(Misfit) -> Int {
        if path.isEmpty || path == "/" { return 0 }
        let digits = path.dropFirst().utf8
        guard path.first == "/", (1...5).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.count == 1 || digits.first != 0x30,
            let number = Int(path.dropFirst()), Bounds.redisDatabase.contains(number)
        else {
            let range = Bounds.redisDatabase
            throw Misfit(
                """
                has something behind its host that is no database; write /N, from \(range.lowerBound) to \
                \(range.upperBound), or nothing
                """)
        }
        return number
    }
}
