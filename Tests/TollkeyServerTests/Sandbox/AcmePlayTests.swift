import Testing
import TollkeySandbox

extension EndToEnd {
    /// The sixth provider.
    struct AcmePlayTests {
        private let client =
            "client_id=acme_sandbox_71c0&client_secret=acmesecret_sandbox_38fd6a02b9c7e514"
        private let basic =
            "Authorization: Basic YWNtZV9zYW5kYm94XzcxYzA6YWNtZXNlY3JldF9zYW5kYm94XzM4ZmQ2YTAyYjljN2U1MTQ=\r\n"
        private let grant = "grant_type=client_credentials"

        @Test(arguments: [
            ("", "expires_in", "3599"), ("/seconds", "expires_in", "3599"), ("/text", "expires_in", "3599"),
            ("/ms", "expires_in_ms", "3599000"), ("/date", "expires_at", "2023-11-14T23:13:19Z"),
            ("/http-date", "expires_at", "Tue, 14 Nov 2023 23:13:19 GMT"),
            ("/epoch", "expires_at", "1700003599"), ("/jwt", "expires_in", ""), ("/none", "expires_at", ""),
        ])
        func `a lifetime is said in the way that the path asks for`(
            _ shape: String, _ member: String, _ value: String
        ) async throws {
            try await withRig { rig in
                let issued = try await rig.post(.acme, "/oauth/token\(shape)", form: "\(grant)&\(client)")
                #expect(issued.status == 200)
                #expect(issued.member(member) == value)
                let isText = issued.text.contains("\"expires_in\":\"")
                #expect(isText == (shape == "/text"))
                let token = issued.member("access_token")
                #expect(token.split(separator: ".").count == (shape == "/jwt" ? 3 : 1))
                #expect(try await rig.call(.acme, "GET", "/payments/1", bearer(token)).status == 200)
                rig.clock.advance(seconds: 3_599)
                let late = try await rig.call(.acme, "GET", "/payments/1", bearer(token))
                #expect(late.status == 401 && late.member("code") == "TOKEN_EXPIRED")
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a token can stand anywhere in an answer`() async throws {
            try await withRig { rig in
                let nested = try await rig.post(.acme, "/oauth/token/nested", form: "\(grant)&\(client)")
                let header = try await rig.post(.acme, "/oauth/token/header", form: "\(grant)&\(client)")
                let plain = try await rig.post(.acme, "/oauth/token/plain", form: "\(grant)&\(client)")
                #expect(nested.member("ttl") == "3599" && header.header("X-Auth-Expires-In") == "3599")
                for token in [nested.member("value"), header.header("X-Auth-Token"), plain.text] {
                    #expect(try await rig.call(.acme, "GET", "/payments/1", bearer(token)).status == 200)
                }
                #expect(rig.sandbox.record.count(of: .login, to: .acme) == 3)
            }
        }

        @Test func `a client proves itself in one way, and by the right words`() async throws {
            try await withRig { rig in
                func answer(_ form: String, _ fields: String = "") async throws -> String {
                    let answer = try await rig.post(.acme, "/oauth/token", form: form, fields)
                    return answer.status == 200 ? "ok" : "\(answer.status) \(answer.member("error"))"
                }
                #expect(try await answer(grant, basic) == "ok")
                #expect(try await answer("\(grant)&\(client)") == "ok")
                #expect(try await answer("\(grant)&\(client)", basic) == "400 invalid_request")
                #expect(try await answer("\(grant)&\(client)x") == "401 invalid_client")
                #expect(try await answer("\(grant)&client_id=acme_sandbox_71c0") == "401 invalid_client")
                #expect(try await answer("grant_type=password&\(client)") == "400 unsupported_grant_type")
                let json = try await rig.post(.acme, "/oauth/token", json: "{}", basic)
                #expect(json.member("error") == "invalid_request")
                let login = #"{"id":"acme_sandbox_71c0","secret":"acmesecret_sandbox_38fd6a02b9c7e514"}"#
                #expect(try await rig.post(.acme, "/login/json", json: login).status == 200)
                let query = client.replacing("client_", with: "")
                #expect(try await rig.call(.acme, "POST", "/login/query/ms?\(query)").status == 200)
            }
        }

        @Test func `a code is exchanged with its verifier, and a refresh token works once`() async throws {
            try await withRig { rig in
                // RFC 7636, appendix B.
                let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
                let redirect = "http://127.0.0.1:1/"
                let id = "client_id=acme_sandbox_71c0"
                let query = "\(id)&response_type=code&redirect_uri=\(redirect)&code_challenge=\(challenge)"
                let authorize = rig.sandbox.url(of: .acme) + "/authorize?" + query
                #expect(rig.sandbox.visit(authorize) == nil)
                func code() throws -> Substring {
                    let location = try #require(rig.sandbox.visit(authorize + "&code_challenge_method=S256"))
                    return location.dropFirst(redirect.count + 6)
                }
                let form = "grant_type=authorization_code&\(id)&redirect_uri=\(redirect)"
                let wrong = "\(form)&code=\(try code())&code_verifier=x"
                #expect(
                    try await rig.post(.acme, "/oauth/token", form: wrong).member("error") == "invalid_grant")
                let right = "\(form)&code=\(try code())&code_verifier=\(verifier)"
                let issued = try await rig.post(.acme, "/oauth/token", form: right)
                #expect(issued.status == 200)
                let renewal = "grant_type=refresh_token&\(id)&refresh_token=\(issued.member("refresh_token"))"
                let renewed = try await rig.post(.acme, "/oauth/token", form: renewal)
                #expect(renewed.member("refresh_token") != issued.member("refresh_token"))
                #expect(rig.sandbox.violations == [])
                #expect(
                    try await rig.post(.acme, "/oauth/token", form: renewal).member("error")
                        == "invalid_grant")
                #expect(rig.kinds == [.refreshSpentTwice])
                #expect(rig.sandbox.record.tokenCalls(of: .acme) == [.exchange: 2, .refresh: 2])
            }
        }

        @Test func `Basic and a key in the query open what asks for them`() async throws {
            try await withRig { rig async throws in
                #expect(try await rig.call(.acme, "GET", "/basic/a", basic).status == 200)
                let other = "Authorization: Basic eDp5\r\n"
                #expect(try await rig.call(.acme, "GET", "/basic/a", other).status == 401)
                let key = rig.credentials.acmeAPIKey
                #expect(try await rig.call(.acme, "GET", "/query/a?b=1&api_key=\(key)").status == 200)
                #expect(rig.sandbox.violations == [])
                #expect(try await rig.call(.acme, "GET", "/query/a?b=1").status == 401)
                #expect(try await rig.call(.acme, "GET", "/query/a?api_key=x&api_key=\(key)").status == 401)
                #expect(rig.kinds == [.noCredential, .credentialTwice])
            }
        }

        private func token(_ rig: SandboxRig) async throws -> SandboxReply {
            try await rig.post(.acme, "/oauth/token", form: grant, basic)
        }

        @Test func `a request id is a UUID that never came before`() async throws {
            try await withRig { rig in
                let token = bearer(try await token(rig).member("access_token"))
                func status(_ id: String) async throws -> Int {
                    try await rig.call(.acme, "GET", "/uuid/a", token + id).status
                }
                #expect(try await status("") == 400)
                #expect(try await status("X-Request-Id: 1\r\n") == 400)
                let id = "X-Request-Id: 0b2e8b1e-6a5c-4c7d-9d43-6f0e2a1b3c4d\r\n"
                #expect(try await status(id) == 200)
                #expect(rig.sandbox.violations == [])
                rig.sandbox.arm(.unauthorized, on: .acme)
                #expect(try await status(id) == 401)
                #expect(rig.kinds == [.nonceReused])
            }
        }

        @Test func `a session of another token is a violation`() async throws {
            try await withRig { rig in
                let (first, second) = (try await token(rig), try await token(rig))
                func status(_ token: SandboxReply, _ session: SandboxReply) async throws -> Int {
                    let fields =
                        bearer(token.member("access_token")) + "X-Session: \(session.member("session"))\r\n"
                    return try await rig.call(.acme, "GET", "/session/a", fields).status
                }
                #expect(try await status(first, first) == 200)
                #expect(try await status(second, second) == 200)
                #expect(rig.sandbox.violations == [])
                #expect(try await status(first, second) == 401)
                #expect(rig.kinds == [.mixedGenerations])
            }
        }

        @Test func `a refused token can look like a 403`() async throws {
            try await withRig { rig in
                let good = bearer(try await token(rig).member("access_token"))
                #expect(try await rig.call(.acme, "GET", "/quirk/a", good).status == 200)
                #expect(
                    try await rig.call(.acme, "GET", "/quirk/forbidden", good).member("code") == "FORBIDDEN")
                rig.sandbox.revokeAccess(of: .acme)
                let refused = try await rig.call(.acme, "GET", "/quirk/a", good)
                #expect(refused.status == 403 && refused.member("code") == "TOKEN_EXPIRED")
                #expect(rig.sandbox.violations == [])
            }
        }

        @Test func `a signature covers method, target, time, nonce and content`() async throws {
            try await withRig { rig async throws in
                let signature = "e01e77080dc20dc84baf85f370f3a6e6595d4ac23201ebb50c2b3ce5c17bb252"
                func status(_ target: String, _ content: String, nonce: String = "n1") async throws -> Int {
                    let fields =
                        "X-Acme-Key: acme_sandbox_71c0\r\nX-Acme-Timestamp: 1700000000\r\n"
                        + "X-Acme-Nonce: \(nonce)\r\nX-Acme-Signature: \(signature)\r\n"
                    return try await rig.call(.acme, "POST", target, fields, content: content).status
                }
                #expect(try await status("/signed/pay?x=1", "pay") == 200)
                #expect(try await status("/signed/pay?x=1", "pay", nonce: "n2") == 401)
                #expect(rig.sandbox.violations == [])
                #expect(try await status("/signed/pay?x=2", "pay") == 401)
                #expect(try await status("/signed/pay?x=1", "may") == 401)
                #expect(rig.kinds == [.nonceReused, .nonceReused])
                rig.clock.advance(seconds: 61)
                #expect(try await status("/signed/pay?x=1", "pay") == 401)
            }
        }

        @Test func `tokens are had on a host of their own`() async throws {
            try await withRig { rig in
                let port = try #require(Int(rig.sandbox.acmeTokensURL.split(separator: ":").last ?? ""))
                let issued = try await SandboxReply.to(
                    "POST", "/oauth/token", port: port, trusting: rig.sandbox.authority,
                    "Content-Type: application/x-www-form-urlencoded\r\n" + basic, content: grant)
                let token = bearer(issued.member("access_token"))
                #expect(try await rig.call(.acme, "GET", "/payments/1", token).status == 200)
                let ports = rig.sandbox.record.requests(of: .acme).map(\.port)
                #expect(ports == [port, rig.sandbox.port(of: .acme)])
            }
        }

        @Test func `a client can be asked for its certificate`() async throws {
            try await withRig { rig in
                let authority = rig.sandbox.authority
                let address = rig.sandbox.acmeClientsURL.split(separator: "/")[1]
                let port = try #require(Int(address.split(separator: ":").last ?? ""))
                let identity = try authority.issue(hosts: ["shop"], usage: .client)
                let answer = try await SandboxReply.to(
                    "GET", "/v2/basic/a", port: port, trusting: authority, basic, showing: identity)
                #expect(answer.status == 200)
                let stranger = try await SandboxReply.to(
                    "GET", "/v2/basic/a", port: port, trusting: authority, basic)
                #expect(stranger.status == 0)
                #expect(rig.sandbox.record.count(of: .acme) == 1)
            }
        }
    }
}
