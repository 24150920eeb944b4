import Testing
import TollkeyConfig
import TollkeyCore

/// What the shipped descriptions obtain, renew, probe and rotate, after the providers' documents.
struct ShippedCredentialsTests {
    /// A shipped provider with all of these secrets.
    private func shipped(_ name: String, _ secrets: String..., lines: String = "") throws -> ProviderSettings
    {
        let given = secrets.map { "\($0): \"${env:KEY}\"" }.joined(separator: ", ")
        return try provider("use: \(name)\nupstream: https://a.test/base\nsecrets: {\(given)}\n\(lines)")
    }

    private func upstream(_ path: String) -> CallSettings.Place { .upstream(path: [.text(path)]) }

    private func place(_ name: String) -> AnswerPlace { .json([.member(name)]) }

    private func texts(_ members: (String, TemplatePart)...) -> CallSettings.Content {
        .json(.object(members.map { .init(name: $0.0, value: .text([$0.1])) }))
    }

    private func fields(_ fields: (String, TemplatePart)...) -> CallSettings.Content {
        .form(fields.map { NamedTemplate(name: $0.0, value: [$0.1]) })
    }

    private let bearer = [
        InjectedHeader(name: "Authorization", value: [.text("Bearer "), .credential("access")])
    ]

    @Test func `TezPay logs in for 12 hours and renews after 11`() throws {
        let tezpay = try shipped("tezpay", "client_id", "client_secret")
        var read = ReadSettings(token: place("access_token"))
        read.expiry = [.seconds(place("expires_in"))]
        var access = CredentialSettings(name: "access", read: read)
        var obtain = CallSettings(method: "POST", place: upstream("/api/v1/tezpay/authenticate"))
        obtain.content = texts(
            ("client_id", .secret("client_id")), ("client_secret", .secret("client_secret")))
        access.obtain = obtain
        access.lifetime = .seconds(43_200)
        access.renewBefore = .seconds(3_600)
        #expect(tezpay.credentials == [access])
        #expect(tezpay.inject == bearer)
    }

    @Test func `JPay logs in for 15 minutes and refreshes for 7 days`() throws {
        let jpay = try shipped("jpay", "app_key", "app_secret")
        var read = ReadSettings(token: place("access"))
        read.refreshToken = place("refresh")
        var access = CredentialSettings(name: "access", read: read)
        var obtain = CallSettings(method: "POST", place: upstream("/auth/app/token"))
        obtain.content = texts(("app_key", .secret("app_key")), ("app_secret", .secret("app_secret")))
        access.obtain = obtain
        var refresh = CallSettings(method: "POST", place: upstream("/auth/refresh"))
        refresh.content = texts(("refresh", .input("refresh_token")))
        access.refresh = refresh
        access.lifetime = .seconds(900)
        access.renewBefore = .seconds(60)
        access.refreshLifetime = .seconds(604_800)
        #expect(jpay.credentials == [access])
        #expect(jpay.inject == bearer)
    }

    @Test(arguments: ["tezpay", "jpay"])
    func `a token that was obtained elsewhere can be used`(_ name: String) throws {
        let provider = try shipped(name, "token", lines: "variant: token")
        #expect(provider.credentials.isEmpty)
        #expect(
            provider.inject
                == [InjectedHeader(name: "Authorization", value: [.text("Bearer "), .secret("token")])])
    }

    @Test func `Piaxis takes an API key, or a token that a user has given`() throws {
        let key = try shipped("piaxis", "api_key")
        #expect(key.credentials.isEmpty && key.scopes == nil)
        let oauth = try shipped("piaxis", "client_id", lines: "variant: oauth")
        #expect(oauth.inject == bearer)
        let access = try #require(oauth.credentials.first)
        let login = try #require(access.login)
        #expect(login.authorize == upstream("/api/authorize"))
        #expect(
            login.query.map(\.name) == ["merchant_id", "redirect_uri", "response_type", "scope", "state"])
        #expect(
            login.query.map(\.value) == [
                [.secret("client_id")], [.input("redirect_uri")], [.text("code")],
                [.text("payments:create payments:read escrow:create escrow:manage profile:read")],
                [.input("state")],
            ])
        #expect(login.exchange.place == upstream("/api/oauth/token"))
        #expect(
            login.exchange.content
                == fields(
                    ("grant_type", .text("authorization_code")), ("code", .input("code")),
                    ("redirect_uri", .input("redirect_uri")), ("client_id", .secret("client_id"))))
        #expect(!login.usesPKCE && login.redirectURI == nil)
        #expect(access.refresh?.place == upstream("/api/oauth/refresh"))
        #expect(
            access.refresh?.content
                == fields(
                    ("grant_type", .text("refresh_token")), ("refresh_token", .input("refresh_token")),
                    ("client_id", .secret("client_id"))))
        #expect(access.read.refreshToken == place("refresh_token"))
        #expect(access.read.expiry == [.seconds(place("expires_in"))])
        #expect(access.lifetime == .seconds(3_600))
    }

    @Test func `Piaxis asks for the scopes that the user names, and its calls are theirs`() throws {
        let oauth = try shipped(
            "piaxis", "client_id", lines: "variant: oauth\nscopes: [\"payments:read\", \"escrow:create\"]")
        #expect(
            oauth.credentials.first?.login?.query.first { $0.name == "scope" }?.value
                == [.text("payments:read escrow:create")])
        #expect(oauth.scopes?.map(\.name) == ["payments:read", "escrow:create"])
    }

    @Test func `Piaxis wants an OTP for releasing escrow, with either credential`() throws {
        let key = try shipped("piaxis", "api_key")
        let oauth = try shipped("piaxis", "client_id", lines: "variant: oauth")
        #expect(key.otp != nil && key.otp == oauth.otp)
        let otp = try #require(key.otp)
        #expect(otp.request.place == upstream("/api/auth/request-otp") && otp.request.isAuthenticated)
        #expect(
            otp.request.content
                == texts(
                    ("operation", .input("operation")), ("escrow_id", .input("escrow_id")),
                    ("phone_number", .input("phone_number"))))
        #expect(otp.readID == place("otp_id") && otp.codeLifetime == .seconds(300))
        #expect(otp.verify.place == upstream("/api/auth/verify-otp") && otp.verify.isAuthenticated)
        #expect(otp.verify.content == texts(("otp_id", .input("otp_id")), ("otp_code", .input("code"))))
        #expect(otp.read.token == place("verification_token") && otp.lifetime == .seconds(600))
        #expect(
            otp.inject
                == [InjectedHeader(name: "X-Verification-Token", value: [.input("verification_token")])])
        var release = OTPCall(
            pattern: try CallPattern("POST /api/escrow/release"), operation: "escrow_release")
        release.subject = .init(input: "escrow_id", field: [.member("escrow_id")])
        #expect(otp.calls == [release])
    }

    @Test func `Tuku's key is probed and can be regenerated`() throws {
        let tuku = try shipped("tuku", "api_key", "app_id")
        var probe = CallSettings(method: "GET", place: upstream("/api/auth/validate-key"))
        probe.isAuthenticated = true
        #expect(tuku.probe?.call == probe)
        #expect(tuku.probe?.expect == [Expectation(place: place("status"), value: "valid")])
        var rotate = CallSettings(
            method: "POST",
            place: .upstream(path: [.text("/api/apps/"), .secret("app_id"), .text("/regenerate-api-key")]))
        rotate.isAuthenticated = true
        #expect(
            tuku.rotation == RotationSettings(secret: "api_key", call: rotate, read: place("newApiKey")))
        #expect(tuku.values.isEmpty)
    }

    @Test func `Tuku's requests can be signed one by one`() throws {
        let tuku = try shipped("tuku", "api_key", "app_id", "secret_key", lines: "variant: signed")
        #expect(tuku.inject.map(\.name) == ["Authorization", "X-App-ID", "X-Request-Token"])
        #expect(tuku.inject.last?.value == [.value("request_token")])
        #expect(
            tuku.values == [
                ValueSettings(name: "now", kind: .time(.rfc3339)),
                ValueSettings(name: "content_hash", kind: .hash(.sha256, of: [.request(.body)], as: .hex)),
                ValueSettings(
                    name: "request_token",
                    kind: .jwt(
                        key: [.secret("secret_key")],
                        claims: [
                            NamedTemplate(name: "appId", value: [.secret("app_id")]),
                            NamedTemplate(name: "timestamp", value: [.value("now")]),
                            NamedTemplate(name: "hash", value: [.value("content_hash")]),
                        ])),
            ])
    }

    @Test func `Pixlpay's scopes are resources to read and to write`() throws {
        let all = [
            "products:read", "products:write", "orders:read", "orders:write", "customers:read",
            "customers:write",
            "analytics:read", "webhooks:read", "webhooks:write", "settings:read", "settings:write",
        ]
        let names = all.map { "\"\($0)\"" }.joined(separator: ", ")
        let pixlpay = try shipped("pixlpay", "api_token", lines: "scopes: [\(names)]")
        for scope in try #require(pixlpay.scopes) {
            let parts = scope.name.split(separator: ":")
            let methods = parts[1] == "read" ? ["GET", "HEAD"] : ["POST", "PUT", "PATCH", "DELETE"]
            #expect(try scope.calls == methods.map { try CallPattern("\($0) /\(parts[0])/**") })
        }
        #expect(pixlpay.scopes?.map(\.name) == all)
        #expect(try shipped("pixlpay", "api_token").scopes == nil)
    }

    @Test func `Pixlpay's token is probed with the call of its samples`() throws {
        let pixlpay = try shipped("pixlpay", "api_token")
        var probe = CallSettings(method: "GET", place: upstream("/products"))
        probe.isAuthenticated = true
        probe.headers = [InjectedHeader(name: "Accept", value: [.text("application/json")])]
        #expect(pixlpay.probe?.call == probe)
        #expect(pixlpay.defaults == [InjectedHeader(name: "Accept", value: [.text("application/json")])])
    }
}
