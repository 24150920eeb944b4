import Testing
import TollkeyConfig
import TollkeyCore

/// What the environment of a test holds; every file and credential is `s3cr3t` too, and those named `.pem` a key.
let environment = [
    "KEY": "s3cr3t", "OTHER": "0th3r", "EMPTY": "", "BROKEN": "two\nlines",
    "LONG": "0123456789abcdef0123456789abcdef",
]

/// The outline of a private key, without the line ends that a header could not hold.
let pem = "-----BEGIN PRIVATE KEY----- MC4C -----END PRIVATE KEY-----"

func fetch(_ reference: SecretReference) -> Result<Secret, SecretFailure> {
    switch reference {
    case .environment(let name):
        environment[name].map { .success(Secret($0)) }
            ?? .failure(SecretFailure("the environment has no variable \(name)"))
    case .file(let name), .credential(let name):
        .success(Secret(name.hasSuffix(".pem") ? pem.replacing(" MC4C ", with: "\nMC4C\n") : "s3cr3t"))
    }
}

func read(
    _ text: String, literals: Bool = false, directory: String? = nil
) -> Result<Settings, ConfigurationProblems> {
    ConfigurationReader(
        file: "proxy.yaml", directory: directory, literalsAllowed: literals,
        credentialsDirectory: "/run/credentials/tollkey", secrets: fetch
    ).read(Array(text.utf8))
}

/// The settings of a file that must be good.
func settings(
    _ text: String, literals: Bool = false, directory: String? = nil,
    at location: SourceLocation = #_sourceLocation
) throws -> Settings {
    switch read(text, literals: literals, directory: directory) {
    case .success(let settings): return settings
    case .failure(let problems):
        Issue.record("\(problems)", sourceLocation: location)
        throw problems
    }
}

/// The problems of a file, each as it is printed, without the file's name when it is the user's.
func problems(_ text: String, literals: Bool = false) -> [String] {
    guard case .failure(let problems) = read(text, literals: literals) else { return [] }
    return problems.list.map { problem in
        let text = problem.description
        return text.hasPrefix("proxy.yaml:") ? String(text.dropFirst("proxy.yaml:".count)) : text
    }
}

/// The settings of one provider `acme` with these lines, indented by four spaces below it.
func provider(
    _ lines: String, top: String = "", directory: String? = nil,
    at location: SourceLocation = #_sourceLocation
) throws -> ProviderSettings {
    let all = try settings(top + providerFile(lines), directory: directory, at: location)
    return try #require(all.providers.first, sourceLocation: location)
}

/// The problems of such a provider; its first line is line 3 and its first column 5.
func providerProblems(_ lines: String) -> [String] { problems(providerFile(lines)) }

private func providerFile(_ lines: String) -> String {
    let indented = lines.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
    return "providers:\n  acme:\n\(indented)\n"
}

/// A good provider to stand behind what a test is about.
let acme = "\nproviders: {acme: {upstream: https://api.acme.test}}\n"

/// The one credential, `access`, of a provider with these lines below it. `${key}` is a secret.
func credential(
    _ lines: String, further: String = "", at location: SourceLocation = #_sourceLocation
) throws -> CredentialSettings {
    let provider = try provider(credentialLines(lines, further: further), at: location)
    return try #require(provider.credentials.first, sourceLocation: location)
}

/// The problems of such a credential; its first line is line 8 and its first column 9.
func credentialProblems(_ lines: String, further: String = "") -> [String] {
    providerProblems(credentialLines(lines, further: further))
}

private func credentialLines(_ lines: String, further: String) -> String {
    let indented = lines.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    return """
        upstream: https://a.test/v1
        secrets: {key: "${env:KEY}"}
        inject: {Authorization: "Bearer ${access}", X-Key: "${key}"}
        credentials:
          access:
        \(indented.joined(separator: "\n"))
        \(further)
        """
}

/// What a call needs besides what a test is about.
let read = "read: {token: t}\n"
