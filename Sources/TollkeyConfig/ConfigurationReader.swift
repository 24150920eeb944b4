package import TollkeyCore

/// Turns the text of `proxy.yaml` into settings, or into every problem it has.
///
/// Opens nothing and asks no clock: what stands outside the text (secrets) comes through `secrets`.
package struct ConfigurationReader {
    private let file: String
    private let directory: String?
    private let literalsAllowed: Bool
    private let secrets: (SecretReference) -> Result<Secret, SecretFailure>
    private let faultOf: (TLSSettings) -> String?
    private let credentialsDirectory: String?

    /// - Parameters:
    ///   - file: how problems name the file.
    ///   - directory: where relative paths in the file begin; nil leaves them as they are written.
    ///   - literalsAllowed: whether secrets may stand in the file in clear: when its owner alone can read it.
    ///   - secrets: fetches a secret, without the line end of its file, or says in words why it cannot. Called
    ///     once for each secret of each provider.
    ///   - faultOf: tries the files of a `tls` section and says in words what is wrong with them, or nil.
    ///   - credentialsDirectory: the absolute path of systemd's credentials, so that `secretFiles` can name them.
    package init(
        file: String, directory: String? = nil, literalsAllowed: Bool = false,
        credentialsDirectory: String? = nil,
        secrets: @escaping (SecretReference) -> Result<Secret, SecretFailure>,
        faultOf: @escaping (TLSSettings) -> String? = { _ in nil }
    ) {
        self.file = file
        self.directory = directory
        self.literalsAllowed = literalsAllowed
        self.secrets = secrets
        self.faultOf = faultOf
        self.credentialsDirectory = credentialsDirectory
    }

    private var newReading: Reading {
        Reading(
            file: file, directory: directory, literalsAllowed: literalsAllowed, secrets: secrets,
            faultOf: faultOf, credentialsDirectory: credentialsDirectory)
    }

    /// Everything in `text` checked, or all that is wrong with it.
    package func read(_ text: [UInt8]) -> Result<Settings, ConfigurationProblems> {
        let reading = newReading
        let settings = settings(from: text, reading)
        if let problems = reading.verdict() { return .failure(problems) }
        return .success(settings)
    }

    /// Where the daemon of this configuration is asked how it stands: `admin` alone, whatever else is wrong. Needs no
    /// secret.
    package static func adminListeners(in text: [UInt8]) -> [ListenAddress] {
        guard case .node(let node, _) = YamlParser.parse(text, file: "") else { return [] }
        let reading = Reading(file: "", directory: nil, literalsAllowed: true) { _ in
            .failure(SecretFailure("is not needed"))
        }
        var top = MapReader(node, path: "", reading: reading)
        return AddressReader(&top, reading: reading).admin ?? []
    }

    /// Where the state is and what opens it, whatever else is wrong: no provider's secret is needed.
    package func readState(_ text: [UInt8]) -> Result<Settings, ConfigurationProblems> {
        let reading = newReading
        var settings = Settings()
        switch YamlParser.parse(text, file: file) {
        case .unreadable(let problem): reading.report(problem.position, problem.message)
        case .empty: break
        case .node(let node, _):
            guard isMap(node, reading) else { break }
            var top = MapReader(node, path: "", reading: reading)
            SettingsReader(reading: reading).readState(&top, &settings)
        }
        if let problems = reading.verdict() { return .failure(problems) }
        return .success(settings)
    }

    private func settings(from text: [UInt8], _ reading: Reading) -> Settings {
        let start = SourcePosition(file: file, line: 1, column: 1)
        switch YamlParser.parse(text, file: file) {
        case .unreadable(let problem):
            reading.report(problem.position, problem.message)
        case .empty:
            reading.report(start, "the file is empty; describe at least one provider under \"providers\"")
        case .node(let node, let problems):
            for problem in problems { reading.report(problem.position, problem.message) }
            if isMap(node, reading) { return SettingsReader(reading: reading).read(node) }
        }
        return Settings()
    }

    private func isMap(_ node: YamlNode, _ reading: Reading) -> Bool {
        if node.entries != nil { return true }
        if node.content != .refused {
            reading.report(
                node.position, "the file must be a map (\"key: value\" lines); found \(node.kind)")
        }
        return false
    }

    /// Every key that the decoder knows, as paths such as `limits.head` and `providers.*.tls.ca`, where `*`
    /// is a name of the user's own or an entry of a list. Keys that mean the same in many places stand under
    /// `call`, `read` and `value`. Sorted.
    package static var keys: [String] {
        let reading = Reading(file: "", directory: nil, literalsAllowed: false) { _ in
            .failure(SecretFailure("is not needed"))
        }
        let nothing = YamlNode(position: SourcePosition(file: "", line: 1, column: 1), content: .map([]))
        _ = SettingsReader(reading: reading).read(nothing)
        // One of everything that has keys below a name or in a list.
        let sample = """
            {credentials: {any: {}}, values: {any: {}}, categories: {any: {}}, otp: {calls: [{}]}, refused: [{}]}
            """
        if case .node(let node, _) = YamlParser.parse(Array(sample.utf8), file: "") {
            let entry = YamlNode.Entry(key: "any", position: node.position, value: node)
            _ = ProviderReader(entry: entry, hasUnixListener: false, reading: reading).read()
        }
        return reading.keys.sorted()
    }
}
