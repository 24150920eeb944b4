import TollkeyCore

/// What one reading gathers: problems, and the keys that were asked for.
final class Reading {
    let file: String
    /// Where relative paths begin; nil leaves them as they are.
    let directory: String?
    let literalsAllowed: Bool
    let secrets: (SecretReference) -> Result<Secret, SecretFailure>
    let faultOf: (TLSSettings) -> String?
    /// Where `${credential:…}` are files; nil when systemd handed none over.
    let credentialsDirectory: String?

    private(set) var problems: [ConfigurationProblem] = []
    private var furtherProblems = 0
    /// Paths such as `limits.head` and `providers.*.route`, whether the file has them or not.
    private(set) var keys: Set<String> = []
    private var shipped: [String: YamlNode] = [:]

    init(
        file: String, directory: String?, literalsAllowed: Bool,
        secrets: @escaping (SecretReference) -> Result<Secret, SecretFailure>,
        faultOf: @escaping (TLSSettings) -> String? = { _ in nil }, credentialsDirectory: String? = nil
    ) {
        self.file = file
        self.directory = directory
        self.literalsAllowed = literalsAllowed
        self.secrets = secrets
        self.faultOf = faultOf
        self.credentialsDirectory = credentialsDirectory
    }

    /// `message` is made only while there is room for it: looking for near misses takes time.
    func report(_ position: SourcePosition, _ message: @autoclosure () -> String) {
        guard problems.count < Bounds.problems else {
            furtherProblems += 1
            return
        }
        problems.append(ConfigurationProblem(position, message()))
    }

    /// Grows with each report, told in full or not.
    var problemCount: Int { problems.count + furtherProblems }

    func asked(for path: String) { keys.insert(path) }

    /// nil when nothing was wrong.
    func verdict() -> ConfigurationProblems? {
        guard !problems.isEmpty else { return nil }
        let sorted = problems.enumerated().sorted { one, other in
            let (a, b) = (one.element.position, other.element.position)
            if a.file != b.file { return a.file == file || (b.file != file && a.file < b.file) }
            // The index keeps the order in which two problems of one place were found.
            return (a.line, a.column, one.offset) < (b.line, b.column, other.offset)
        }
        return ConfigurationProblems(list: sorted.map(\.element), further: furtherProblems)
    }

    /// A shipped description's node, parsed once for all the providers that use it.
    func description(_ name: String) -> YamlNode? {
        if let known = shipped[name] { return known }
        guard let text = ShippedProviders.text(of: name) else { return nil }
        switch YamlParser.parse(text, file: ShippedProviders.file(of: name)) {
        case .node(let node, let found):
            for problem in found { report(problem.position, problem.message) }
            shipped[name] = node
            return node
        case .unreadable(let problem):
            report(problem.position, problem.message)
            return nil
        case .empty:
            return nil
        }
    }
}
