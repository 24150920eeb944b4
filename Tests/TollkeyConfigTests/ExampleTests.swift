import Glibc
import Testing
import TollkeyConfig
import TollkeyCore

/// The example and the settings reference say what the decoder does, by its own list of keys.
struct ExampleTests {
    @Test func `the example loads as it is`() throws {
        let settings = try settings(from: try file("proxy.yaml.example"))
        #expect(
            settings.providers.map(\.name) == [
                "piaxis", "tezpay", "pixlpay", "tuku", "jpay", "piaxis-users", "acme", "globex",
            ])
    }

    @Test func `the example shows the defaults`() throws {
        let example = try settings(from: try file("proxy.yaml.example"))
        let defaults = Settings()
        #expect(example.listeners == defaults.listeners)
        #expect(example.threads == defaults.threads)
        #expect(example.limits == defaults.limits)
        #expect(example.timeouts == defaults.timeouts)
        #expect(example.log == defaults.log)
        let acme = try #require(example.providers.first { $0.name == "acme" })
        var timeouts = UpstreamTimeouts()
        timeouts.whole = .seconds(600)
        #expect(acme.timeouts == timeouts)
        #expect(acme.pool == PoolSettings())
        #expect(acme.body == BodySettings())
        var reads = CategorySettings(name: "reads")
        (reads.match, reads.limits) = (acme.categories[1].match, acme.categories[1].limits)
        #expect(acme.categories[1] == reads)
        #expect(acme.credentialWait == ProviderSettings(name: "", upstream: acme.upstream).credentialWait)
    }

    @Test func `the example with every setting switched on has every key and no problem`() throws {
        let text = try switchedOn(try file("proxy.yaml.example"))
        guard case .node(let node, _) = YamlParser.parse(text, file: "example") else {
            Issue.record("unreadable")
            return
        }
        var keys = wordsOfComments(text).intersection(Self.alternatives)
        collect(node, "", &keys)
        #expect(keys.sorted() == ConfigurationReader.keys)
        _ = try settings(from: text)
    }

    @Test func `the settings reference has a row for each key and none besides`() throws {
        let text = String(decoding: try file("docs/settings.md"), as: UTF8.self)
        let prefixes = [
            "## A provider": "providers.*.", "## A category": "providers.*.categories.*.",
            "## A credential": "providers.*.credentials.*.",
            "## A call": "call.", "## Reading an answer": "read.", "## A value": "value.",
            "## One-time passwords": "providers.*.", "## Templates": nil,
        ]
        var rows: [String] = []
        var prefix: String? = ""
        for line in text.split(separator: "\n") {
            if let section = prefixes[String(line)] { prefix = section }
            guard let prefix, line.hasPrefix("| `"), let key = line.dropFirst(3).split(separator: "`").first
            else { continue }
            rows.append(prefix + key)
        }
        #expect(rows.sorted() == ConfigurationReader.keys)
    }

    private func settings(from text: [UInt8]) throws -> Settings {
        try ConfigurationReader(file: "proxy.yaml.example", directory: "/etc/tollkey") { reference in
            .success(Secret("\(pem) \(reference)"))
        }.read(text).get()
    }

    /// Takes the `#` off settings such as `#threads: 2`; explanations (`# words`) stay.
    private func switchedOn(_ text: [UInt8]) throws -> [UInt8] {
        let lines = String(decoding: text, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        var result: [Substring] = []
        for line in lines {
            let spaces = line.prefix { $0 == " " }
            let rest = line.dropFirst(spaces.count)
            guard rest.first == "#", let letter = rest.dropFirst().first, letter.isLetter else {
                result.append(line)
                continue
            }
            let setting = rest.dropFirst()
            // The same key stands above with another value.
            if spaces.isEmpty {
                let key = setting.prefix { $0 != ":" }
                result.removeAll { $0.hasPrefix("\(key):") }
            }
            result.append(spaces + setting)
        }
        return Array(result.joined(separator: "\n").utf8)
    }

    /// One of several words that mean the same kind of thing: it is enough that a comment names them.
    private static let alternatives = Set(
        ConfigurationReader.keys.filter { key in
            ["call.", "read.", "value."].contains { key.hasPrefix($0) }
        })

    private func wordsOfComments(_ text: [UInt8]) -> Set<String> {
        var words: Set<String> = []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.contains("# ") {
            let comment = line.drop { $0 != "#" }
            let found = comment.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            for prefix in ["call", "read", "value"] { words.formUnion(found.map { "\(prefix).\($0)" }) }
        }
        return words
    }

    private func collect(_ node: YamlNode, _ path: String, _ keys: inout Set<String>) {
        if case .list(let nodes) = node.content {
            for node in nodes { collect(node, "\(path).*", &keys) }
        }
        guard case .map(let entries) = node.content else { return }
        for entry in entries {
            let below = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            let shared = vocabulary(path).map { "\($0).\(entry.key)" }
            let key = shared.flatMap { ConfigurationReader.keys.contains($0) ? $0 : nil } ?? below
            keys.insert(key)
            if Self.named.contains(entry.key) || key == "read.values" { continue }
            guard ["providers", "credentials", "values", "categories"].contains(entry.key) else {
                collect(entry.value, key, &keys)
                continue
            }
            guard case .map(let entries) = entry.value.content else { continue }
            for entry in entries { collect(entry.value, "\(key).*", &keys) }
        }
    }

    /// Maps whose keys are the user's own, with nothing of ours below them.
    private static let named = [
        "inject", "defaults", "inject_query", "secrets", "environments", "form", "json", "query", "headers",
        "claims", "where", "expect", "scope_calls", "subject", "variants", "admin_tokens",
    ]

    /// Where the keys of a map are known, when it is one of those that stand in several places.
    private func vocabulary(_ path: String) -> String? {
        if path.hasPrefix("providers.*.values.") { return "value" }
        switch path.split(separator: ".").last {
        case "obtain", "refresh", "exchange", "probe", "rotate", "request", "verify": return "call"
        case "read", "read_refreshed": return "read"
        default: return nil
        }
    }
}

/// A file of the repository, by its path from the root.
func file(_ path: String) throws -> [UInt8] {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let handle = try #require(
        fopen((root + [Substring(path)]).joined(separator: "/"), "r"), "\(path) is missing")
    defer { fclose(handle) }
    var bytes = [UInt8](repeating: 0, count: Bounds.fileBytes)
    let count = fread(&bytes, 1, bytes.count, handle)
    return Array(bytes[..<count])
}
