import Glibc
import Testing
import TollkeyConfig
import TollkeyCore

/// The example and the settings reference say what the decoder does, by its own list of keys.
struct ExampleTests {
    @Test func `the example loads as it is`() throws {
        let settings = try settings(from: try file("proxy.yaml.example"))
        #expect(settings.providers.map(\.name) == ["piaxis", "tezpay", "pixlpay", "tuku", "jpay", "acme"])
    }

    @Test func `the example shows the defaults`() throws {
        let example = try settings(from: try file("proxy.yaml.example"))
        let defaults = Settings()
        #expect(example.listeners == defaults.listeners)
        #expect(example.threads == defaults.threads)
        #expect(example.limits == defaults.limits)
        #expect(example.timeouts == defaults.timeouts)
        #expect(example.logLevel == defaults.logLevel)
        let acme = try #require(example.providers.last)
        var timeouts = UpstreamTimeouts()
        timeouts.whole = .seconds(600)
        #expect(acme.timeouts == timeouts)
        #expect(acme.pool == PoolSettings())
        #expect(acme.body == BodySettings())
    }

    @Test func `the example with every setting switched on has every key and no problem`() throws {
        let text = try switchedOn(try file("proxy.yaml.example"))
        guard case .node(let node, _) = YamlParser.parse(text, file: "example") else {
            Issue.record("unreadable")
            return
        }
        var keys: Set<String> = []
        collect(node, "", &keys)
        #expect(keys.sorted() == ConfigurationReader.keys)
        _ = try settings(from: text)
    }

    @Test func `the settings reference has a row for each key and none besides`() throws {
        let text = String(decoding: try file("docs/settings.md"), as: UTF8.self)
        var rows: [String] = []
        var prefix = ""
        for line in text.split(separator: "\n") {
            if line == "## A provider" { prefix = "providers.*." }
            guard line.hasPrefix("| `"), let key = line.dropFirst(3).split(separator: "`").first else {
                continue
            }
            rows.append(prefix + key)
        }
        #expect(rows.sorted() == ConfigurationReader.keys)
    }

    private func settings(from text: [UInt8]) throws -> Settings {
        try ConfigurationReader(file: "proxy.yaml.example", directory: "/etc/tollkey") { _ in
            .success(Secret("s3cr3t"))
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
            if setting.hasPrefix("listen:") { result.removeAll { $0.hasPrefix("listen:") } }
            result.append(spaces + setting)
        }
        return Array(result.joined(separator: "\n").utf8)
    }

    private func collect(_ node: YamlNode, _ path: String, _ keys: inout Set<String>) {
        guard case .map(let entries) = node.content else { return }
        let named = ["inject", "defaults", "secrets", "environments"]
        for entry in entries {
            let isProvider = path == "providers"
            let below = isProvider ? "providers.*" : path.isEmpty ? entry.key : "\(path).\(entry.key)"
            if !isProvider { keys.insert(below) }
            if !named.contains(entry.key) { collect(entry.value, below, &keys) }
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
