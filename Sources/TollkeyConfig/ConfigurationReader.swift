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

    /// - Parameters:
    ///   - file: how problems name the file.
    ///   - directory: where relative paths in the file begin; nil leaves them as they are written.
    ///   - literalsAllowed: whether secrets may stand in the file in clear: when its owner alone can read it.
    ///   - secrets: fetches a secret, without the line end of its file, or says in words why it cannot. Called
    ///     once for each secret of each provider.
    ///   - faultOf: tries the files of a `tls` section and says in words what is wrong with them, or nil.
    package init(
        file: String, directory: String? = nil, literalsAllowed: Bool = false,
        secrets: @escaping (SecretReference) -> Result<Secret, SecretFailure>,
        faultOf: @escaping (TLSSettings) -> String? = { _ in nil }
    ) {
        self.file = file
        self.directory = directory
        self.literalsAllowed = literalsAllowed
        self.secrets = secrets
        self.faultOf = faultOf
    }

    /// Everything in `text` checked, or all that is wrong with it.
    package func read(_ text: [UInt8]) -> Result<Settings, ConfigurationProblems> {
        let reading = Reading(
            file: file, directory: directory, literalsAllowed: literalsAllowed, secrets: secrets,
            faultOf: faultOf)
        let settings = settings(from: text, reading)
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
            if node.entries != nil { return SettingsReader(reading: reading).read(node) }
            if node.content != .refused {
                reading.report(
                    node.position, "the file must be a map (\"key: value\" lines); found \(node.kind)")
            }
        }
        return Settings()
    }

    /// Every key that the decoder knows, as paths such as `limits.head` and `providers.*.tls.ca`, where `*`
    /// is a name of the user's own. Sorted.
    package static var keys: [String] {
        let reading = Reading(file: "", directory: nil, literalsAllowed: false) { _ in
            .failure(SecretFailure("is not needed"))
        }
        let start = SourcePosition(file: "", line: 1, column: 1)
        let nothing = YamlNode(position: start, content: .map([]))
        _ = SettingsReader(reading: reading).read(nothing)
        let entry = YamlNode.Entry(key: "any", position: start, value: nothing)
        _ = ProviderReader(entry: entry, hasUnixListener: false, reading: reading).read()
        return reading.keys.sorted()
    }
}
