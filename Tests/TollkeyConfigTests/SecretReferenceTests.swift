import Testing
import TollkeyConfig
import TollkeyCore

struct SecretReferenceTests {
    @Test(arguments: [
        ("${env:PIAXIS_API_KEY}", SecretReference.environment("PIAXIS_API_KEY")),
        ("${env:piaxis_API_KEY}", .environment("piaxis_API_KEY")),
        ("${file:/run/secrets/acme}", .file("/run/secrets/acme")),
        ("${file:secrets/acme}", .file("/etc/tollkey/secrets/acme")),
        ("${credential:acme-key}", .credential("acme-key")),
    ])
    func `each form asks for the secret it names, once`(_ text: String, _ expected: SecretReference) {
        var asked: [SecretReference] = []
        let reader = ConfigurationReader(file: "f", directory: "/etc/tollkey") { reference in
            asked.append(reference)
            return .success(Secret("s"))
        }
        let file = """
            providers:
              a:
                upstream: https://a.test
                secrets: {key: "\(text)"}
                inject: {X-Key: "${key}", X-Other: "${key}"}
            """
        guard case .success(let settings) = reader.read(Array(file.utf8)) else {
            Issue.record("\(file)")
            return
        }
        #expect(asked == [expected])
        #expect(settings.providers[0].secrets == ["key": Secret("s")])
    }

    @Test func `secrets in files are known by their paths, to be read again`() throws {
        let provider = try provider(
            """
            upstream: https://a.test
            secrets: {a: "${env:KEY}", b: "${file:/run/b}", c: "${file:c}", d: "${credential:d}"}
            inject: {X-A: "${a}${b}${c}${d}"}
            """, directory: "/etc/tollkey")
        #expect(
            provider.secretFiles == [
                "b": "/run/b", "c": "/etc/tollkey/c", "d": "/run/credentials/tollkey/d",
            ])
        #expect(provider.secrets.count == 4)
    }

    @Test(arguments: [
        ("${evn:KEY}", "is a reference of an unknown kind; did you mean \"env\"?; write "),
        ("${vault:KEY}", "is a reference of an unknown kind; write "),
        ("${KEY}", "is no complete reference; write "),
        ("${env:KEY", "is no complete reference; write "),
        ("${env:}", "is a reference without a name; write "),
        ("Bearer ${env:KEY}", "mixes text and a reference; make it "),
        ("${env:A=B}", "names an environment variable with \"=\" in it, which cannot exist"),
        ("${credential:../key}", "names a credential with a path; give its name alone"),
    ])
    func `what is no whole reference is a problem`(_ text: String, _ message: String) {
        let found = providerProblems(
            "upstream: https://a.test\nsecrets: {key: \"\(text)\"}\ninject: {X-Key: \"${key}\"}")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("4:20: the secret \"key\" \(message)") == true, "\(found)")
    }
}
