/// Hides credentials wherever the sandbox shows a request to people.
enum Masking {
    private static let shownCharacters = 3
    private static let names: Set<String> = [
        "authorization", "proxy-authorization", "api-key", "x-api-key", "x-app-id", "x-acme-key", "x-session",
        "cookie", "set-cookie",
    ]
    private static let parts = ["token", "secret", "signature", "password", "otp"]
    private static let queryParts = parts + ["key", "code"]

    /// The value of header `name`, a credential's cut to its first three characters. Behind an authentication
    /// scheme (`Bearer abc…`) the three are the token's.
    static func value(_ value: String, of name: String) -> String {
        let name = name.lowercased()
        guard names.contains(name) || parts.contains(where: name.contains) else { return value }
        if name.hasSuffix("authorization"), let space = value.firstIndex(of: " ") {
            return value[...space] + cut(value[value.index(after: space)...])
        }
        return cut(value)
    }

    static func cut(_ value: some StringProtocol) -> String { value.prefix(shownCharacters) + "…" }

    /// A request target whose query shows no code, token or key.
    static func target(_ target: String) -> String {
        guard let mark = target.firstIndex(of: "?") else { return target }
        let pairs = target[target.index(after: mark)...].split(separator: "&").map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return String(pair) }
            let name = pair[..<equals].lowercased()
            guard queryParts.contains(where: name.contains) else { return String(pair) }
            return pair[...equals] + cut(pair[pair.index(after: equals)...])
        }
        return target[...mark] + pairs.joined(separator: "&")
    }

    static func path(_ target: String) -> String {
        String(target.prefix { $0 != "?" })
    }
}
