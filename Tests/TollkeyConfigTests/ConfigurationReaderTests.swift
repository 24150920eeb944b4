import Testing
import TollkeyConfig
import TollkeyCore

struct ConfigurationReaderTests {
    @Test func `the least file gives one provider and defaults for the rest`() throws {
        var expected = Settings()
        expected.providers = [
            ProviderSettings(
                name: "acme",
                upstream: UpstreamURL(scheme: .https, host: "api.acme.test", port: 443, basePath: ""))
        ]
        #expect(try settings(acme) == expected)
    }

    @Test func `all problems come at once, in the order of the file`() {
        #expect(
            problems(
                """
                threads: 65
                providers:
                  acme:
                    upstream: https://api.acme.test
                    pool: {connections: many}
                    timeouts:
                      whole: 30
                  piaxis:
                    use: piaxi
                hosts: {}
                """) == [
                    "1:10: \"threads\" must be a whole number from 1 to 64",
                    "5:25: \"connections\" must be a whole number from 1 to 100000",
                    "7:14: \"whole\" needs a unit: ms, s, m or h, as in 30s",
                    "9:10: \"use\" names no shipped description; did you mean \"piaxis\"?",
                    "10:8: \"hosts\" must be text; found a map",
                ])
    }

    @Test func `a problem is printed as file, line, column and words`() {
        guard case .failure(let problems) = read("treads: 1" + acme) else {
            Issue.record("no problem")
            return
        }
        #expect(
            problems.description == "proxy.yaml:1:1: \"treads\" is an unknown key; did you mean \"threads\"?")
        #expect(problems.list[0].position == SourcePosition(file: "proxy.yaml", line: 1, column: 1))
    }

    @Test(arguments: ["", "\n\n", "# only words\n", "~", "--- \n"])
    func `an empty file is one problem`(_ text: String) {
        #expect(
            problems(text)
                == ["1:1: the file is empty; describe at least one provider under \"providers\""])
    }

    @Test func `a file that is no map is one problem`() {
        #expect(
            problems("- listen\n")
                == ["1:1: the file must be a map (\"key: value\" lines); found a list"])
        #expect(
            problems("listen\n") == ["1:1: the file must be a map (\"key: value\" lines); found text"])
    }

    @Test func `problems beyond the bound are counted`() {
        let keys = (0..<Bounds.problems + 5).map { "k\($0): 1" }.joined(separator: "\n")
        guard case .failure(let problems) = read(keys + acme) else {
            Issue.record("no problem")
            return
        }
        #expect(problems.list.count == Bounds.problems)
        #expect(problems.further == 5)
        #expect(problems.description.hasSuffix("\nand 5 more problems"))
    }

    @Test func `no problem shows a value, wherever a secret was put by mistake`() {
        let secret = "hunter2"
        let mistakes = [
            "listen: \(secret)", "hosts: [\(secret)/]", "origins: [\(secret)]", "threads: \(secret)",
            "log: {level: \(secret)}", "log: \(secret)", "timeouts: {head: \(secret)}",
            "limits: {head: 9\(secret)}", "state_key: \(secret)", "state_key: [\(secret)]",
        ]
        for mistake in mistakes {
            let found = problems(mistake + acme)
            #expect(!found.isEmpty, "\(mistake)")
            #expect(!found.joined().contains(secret), "\(mistake)")
        }
        let inProvider = [
            "upstream: https://me:\(secret)@api.acme.test", "upstream: ftp://\(secret)",
            "upstream: https://a.test/?key=\(secret)", "use: \(secret)", "environment: \(secret)",
            "route: \(secret)", "addresses: \(secret)", "allow: \(secret)", "pass: [\"\(secret) x\"]",
            "secrets: {api_key:\(secret)}", "secrets: {\(secret)}", "secrets: \(secret)",
            "secrets: {key: \(secret)}", "secrets: {key: [\(secret)]}", "secrets: {key: \"${\(secret)}\"}",
            "secrets: {key: \"${env:KEY} \(secret)\"}", "secrets: {key: \"${\(secret):x}\"}",
            "inject: {Authorization: Bearer \(secret)}", "inject: {Authorization:\(secret)}",
            "inject: {X-Key: \"${\(secret)!}\"}", "inject: {X-Key: \"$\(secret)\"}",
            "{api_key:\(secret)}", "tls: {least_version: \(secret)}", "peers: {uid: \(secret)}",
            "variant: \(secret)", "variants: {\(secret): 1}", "inject_query: {key:\(secret)}",
            "inject_query: {password: \(secret)}", "scopes: [\(secret)]", "scope_calls: {a: \(secret)}",
            "credentials: {a: \(secret)}", "credentials: {a: {obtain: {post: \(secret)}}}",
            "credentials: {a: {obtain: {post: \"https://me:\(secret)@a.test/\"}}}",
            "credentials: {a: {obtain: {post: /, form: {client_secret: \(secret)}}}}",
            "credentials: {a: {obtain: {post: /, form: {client_secret:\(secret)}}}}",
            "credentials: {a: {obtain: {post: /, json: {client_secret:\(secret)}}}}",
            "credentials: {a: {obtain: {post: /, json: {\"a:\(secret)\": \"$\"}}}}",
            "credentials: {a: {obtain: {post: /, json: \(secret)}}}",
            "credentials: {a: {obtain: {post: /, basic: {user: a, password: \(secret)}}}}",
            "credentials: {a: {read: {token: \"\(secret) \"}}}", "credentials: {a: {lifetime: \(secret)}}",
            "values: {v: \(secret)}", "values: {v: {hmac: sha256, key: \(secret), of: a}}",
            "values: {v: {hex: \"${request.\(secret)}\"}}", "values: {v: {hash: \(secret), of: a}}",
            "refused: [{status: \(secret)}]", "refused: [{status: 403, where: {\"a \(secret)\": b}}]",
            "rotate: {secret: \"\(secret)!\", post: /}", "otp: {calls: [{match: \(secret)}]}",
        ]
        for mistake in inProvider {
            let found = providerProblems(mistake)
            #expect(!found.isEmpty, "\(mistake)")
            #expect(!found.joined().contains(secret), "\(mistake)")
        }
    }

    // MARK: The state alone

    private func readState(
        _ text: String, _ secrets: @escaping (SecretReference) -> Result<Secret, SecretFailure> = fetch
    ) -> Result<Settings, ConfigurationProblems> {
        ConfigurationReader(file: "proxy.yaml", directory: "/etc/tollkey", secrets: secrets)
            .readState(Array(text.utf8))
    }

    @Test func `the state is found without a provider's secret, whatever else is wrong`() throws {
        var asked: [String] = []
        let text = """
            listen: nowhere
            treads: 1
            state: state
            state_key: ["${env:LONG}", "${file:/k.pem}"]
            audit: {keep: for ever}
            providers:
              acme:
                upstream: no URL
                secrets: {key: "${env:GONE}"}
            """
        let state = try readState(text) { reference in
            asked.append("\(reference)")
            return fetch(reference)
        }.get()
        var expected = Settings()
        expected.state = "/etc/tollkey/state"
        expected.stateKeys = [Secret(try #require(environment["LONG"])), try #require(state.stateKeys.last)]
        #expect(state == expected)
        #expect(asked.count == 2 && asked.allSatisfy { !$0.contains("GONE") })
        #expect(throws: ConfigurationProblems.self) { try read(text).get() }
    }

    @Test func `where no state is named the defaults hold`() throws {
        for text in ["", acme, "# only words\n"] { #expect(try readState(text).get() == Settings()) }
    }

    @Test(arguments: [
        (
            "state_key: ${env:GONE}\nproviders: {}",
            "proxy.yaml:1:12: \"state_key\" cannot be had: the environment has no variable GONE"
        ), ("- state\n", "proxy.yaml:1:1: "), ("state: [", "proxy.yaml:"),
    ])
    func `what is wrong with the state is told`(_ text: String, _ words: String) {
        guard case .failure(let problems) = readState(text) else {
            Issue.record("no problem")
            return
        }
        #expect(problems.list.count == 1)
        #expect(problems.description.hasPrefix(words), "\(problems)")
    }

    @Test func `keys are known for every section, with a star for names of the user's`() {
        let keys = ConfigurationReader.keys
        #expect(keys == keys.sorted())
        for key in [
            "listen", "log.level", "limits.head", "providers", "providers.*.tls.ca", "providers.*.use",
        ] {
            #expect(keys.contains(key))
        }
    }
}
