import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct CheckupTests {
        private func words(_ findings: [Finding], _ mark: Finding.Mark) -> [String] {
            findings.filter { $0.mark == mark }.map { "\($0.subject): \($0.words)" }
        }

        @Test func `a provider that is well has no problem`() async throws {
            try await withCredentialStage { stage in
                let findings = try stage.findings(stage.tuku())
                #expect(words(findings, .problem) == [])
                #expect(words(findings, .ok).contains("probe: the provider takes the credential (200)"))
                #expect(words(findings, .ok).contains("secret api_key: is there"))
            }
        }

        @Test func `where calls cannot be counted none is made, and that is a problem`() async throws {
            try await withCredentialStage { stage in
                let settings = try stage.tuku(
                    "categories: { all: { match: \"* /**\", limit: 5/hour } }")
                _ = try stage.findings(settings)
                let before = stage.sandbox.record.requests(of: .tuku).count
                #expect(before > 0)
                try RawDatabase.run("PRAGMA user_version = 9", in: stage.state + "/quota.db")
                let problems = words(try stage.findings(settings), .problem)
                #expect(problems.count == 1 && problems[0].hasPrefix("quotas: no call is made"))
                #expect(stage.sandbox.record.requests(of: .tuku).count == before)
            }
        }

        @Test func `Redis must answer, let us in and run scripts`() async throws {
            try await withCredentialStage { stage in
                var settings = try stage.tuku()
                #expect(!(try stage.findings(settings)).contains { $0.subject == "redis" })
                try withRedis { redis in
                    settings.shared = redis.settings
                    let good = "redis: 127.0.0.1:\(redis.port) lets us in, and runs our scripts"
                    #expect(words(try stage.findings(settings), .ok).contains(good))
                    settings.shared?.password = Secret("c4n4ry")
                    #expect(try problem(stage.findings(settings)).contains("has none for this user"))
                    settings.shared?.password = nil
                    _ = try redis.ask("ACL SETUSER default -@scripting")
                    #expect(try problem(stage.findings(settings)).contains("NOPERM"))
                    redis.kill()
                    let gone = try problem(stage.findings(settings))
                    #expect(gone.hasSuffix("; meanwhile each replica goes by its share of every limit"))
                    settings.shared?.fallback = .refuse
                    let refused = try problem(stage.findings(settings))
                    #expect(refused.hasSuffix("; meanwhile calls under a limit are refused"))
                }
            }
        }

        /// The only one, about Redis and without the password.
        private func problem(_ findings: [Finding]) throws -> String {
            let problems = words(findings, .problem)
            #expect(
                problems.count == 1 && problems[0].hasPrefix("redis: ") && !problems[0].contains("c4n4ry"))
            return problems.first ?? ""
        }

        @Test func `a secret that the provider refuses is a problem, and not told`() async throws {
            try await withCredentialStage { stage in
                let findings = try stage.findings(stage.tuku(key: "tuk_wrong"))
                let problems = words(findings, .problem)
                #expect(problems.count == 1)
                #expect(
                    problems[0].hasPrefix(
                        "probe: the provider refuses the credential (401): check the secrets"))
                #expect(!findings.contains { $0.words.contains("tuk_wrong") })
            }
        }

        @Test(arguments: WrongCertificate.allCases)
        func `a certificate that is not good is told in words, and nothing is sent`(
            _ certificate: WrongCertificate
        ) async throws {
            try await withCredentialStage { stage in
                let settings = try stage.settings(
                    """
                      piaxis:
                        use: piaxis
                        upstream: \(stage.sandbox.url(of: certificate))
                        tls: { ca: \(stage.ca) }
                        secrets: { api_key: "${env:K}" }
                    """, ["K": SandboxCredentials().piaxisAPIKey])
                let problems = words(try stage.findings(settings), .problem)
                #expect(problems.count == 1)
                #expect(problems[0].contains("connection: no TLS connection to localhost"))
                #expect(problems[0].contains("the certificate is refused"))
            }
        }

        @Test func `an obtained credential is renewed when that is asked for, and told when not`()
            async throws
        {
            try await withCredentialStage { stage in
                let settings = try stage.jpay
                #expect(
                    words(try stage.findings(settings), .note).contains {
                        $0.contains("--renew tries it now")
                    })
                let renewed = try stage.findings(settings, renews: true)
                #expect(words(renewed, .problem) == [])
                #expect(
                    words(renewed, .ok).contains {
                        $0.contains("was obtained just now (obtain), good for 15 min")
                    })
                #expect(
                    words(try stage.findings(settings), .ok).contains {
                        $0.contains("is kept, good for 15 min")
                    })
                // The bare call while nothing was kept went without a credential, as it must.
                stage.sandbox.record.clear()
            }
        }

        @Test func `a missing login is a problem with its remedy`() async throws {
            try await withCredentialStage { stage in
                let problems = words(try stage.findings(stage.piaxisOAuth), .problem)
                #expect(problems == ["credential access: a person must log in: tollkey login piaxis"])
                stage.sandbox.record.clear()
            }
        }

        @Test(arguments: [
            (0, Finding.Mark.ok, "clock: agrees with the provider's"),
            (120, .problem, "clock: this machine's clock is 120 s ahead of the provider's; set it"),
            (-120, .problem, "clock: this machine's clock is 120 s behind the provider's; set it"),
        ])
        func `clocks that disagree are a problem`(
            _ ahead: Int64, _ mark: Finding.Mark, _ expected: String
        ) async throws {
            let answer =
                "HTTP/1.1 404 Not Found\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
            try await withScripts([[.expect(bytesContaining: "\r\n\r\n"), .send(answer), .close]]) {
                upstream in
                let clock = ManualClock(wall: 1_800_000_000 + ahead)
                var checkup = Checkup(
                    .plain(upstream.port), in: Settings(to: [.plain(upstream.port)]), clock: clock.clock)
                #expect(words(checkup.perform(), mark).contains(expected))
            }
        }

        @Test func `a name without an address and a port without a server are told as such`() async throws {
            try await withCredentialStage { stage in
                var settings = try stage.tuku()
                settings.providers[0].upstream.host = "nowhere.invalid"
                let nowhere = words(try stage.findings(settings), .problem)
                #expect(nowhere.contains { $0.hasPrefix("address: the name nowhere.invalid has no address") })
                let closed = try RawUpstream(listens: false)
                settings.providers[0].upstream.host = "127.0.0.1"
                settings.providers[0].upstream.port = closed.port
                #expect(
                    words(try stage.findings(settings), .problem).contains { $0.contains("does not accept") })
            }
        }
    }
}
