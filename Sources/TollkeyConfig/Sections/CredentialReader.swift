import TollkeyCore

/// One entry of `credentials`: the calls that obtain and renew it, and what is read from their answers.
struct CredentialReader {
    let name: String
    let names: Names
    /// Credentials that the provider's own headers are made of, which a call with `authenticated` waits for.
    let injected: Set<String>

    private var reading: Reading { names.reading }
    private var calls: CallReader { CallReader(names: names) }

    func read(_ map: inout MapReader) -> CredentialSettings? {
        let obtain = call(&map, "obtain", reach: .obtain)
        let refresh = call(&map, "refresh", reach: .refresh(name), mustName: "refresh_token")
        let login = readLogin(&map)
        let answers = AnswerReader(reading: reading)
        let read = answers.read(&map, "read")
        let readRefreshed = answers.read(&map, "read_refreshed")
        check(map, read)
        let lifetimes = readLifetimes(&map)
        guard let read else { return nil }
        var credential = CredentialSettings(name: name, read: read.value)
        credential.obtain = obtain
        credential.refresh = refresh
        credential.login = login
        if let readRefreshed { credential.readRefreshed = readRefreshed.value }
        (credential.lifetime, credential.refreshLifetime, credential.renewBefore) = lifetimes
        return credential
    }

    /// `mustName`: an input without which the call makes no sense.
    private func call(
        _ map: inout MapReader, _ key: String, reach: Reach, mustName input: String? = nil
    ) -> CallSettings? {
        var call: Placed<CallSettings>?
        let problemsBefore = reading.problemCount
        _ = names.takeUsedInputs()
        map.map(key) { map in call = calls.read(&map, reach: reach) }
        let used = names.takeUsedInputs()
        guard let call else { return nil }
        if let input, !used.contains(input), reading.problemCount == problemsBefore {
            reading.report(
                call.position,
                "\"\(key)\" sends no ${\(input)}; write it into its form, json, query or headers")
        }
        checkAuthenticated(call, reach)
        return call.value
    }

    /// What is obtained cannot go along on the way to itself.
    private func checkAuthenticated(_ call: Placed<CallSettings>, _ reach: Reach) {
        guard call.value.isAuthenticated else { return }
        let missing =
            switch reach.credentials {
            case .all: Set<String>()
            case .none: injected
            case .own(let name): injected.subtracting([name])
            }
        guard let first = missing.sorted().first else { return }
        reading.report(
            call.position,
            """
            with "authenticated", the headers of "inject" go along, which are made of the credential "\(first)"; \
            take it out and write what this call needs under its "headers"
            """)
    }

    private func check(_ map: MapReader, _ read: Placed<ReadSettings>?) {
        guard let place = map.place else { return }
        let name = "the credential \"\(name)\""
        if !map.has("obtain"), !map.has("login") {
            reading.report(
                place,
                map.has("refresh")
                    ? "\(name) can be renewed and not be had at first; add \"obtain\" or \"login\""
                    : "\(name) does not say how it is had; add \"obtain\" (a call) or \"login\" (a person)")
        }
        if map.has("obtain"), let login = map.place(of: "login") {
            reading.report(
                login,
                "\(name) has \"obtain\", which needs nobody, and \"login\"; keep one of them (write ~ for the other)"
            )
        }
        if !map.has("read") {
            reading.report(
                place,
                "\(name) does not say where the token is in an answer; add read: {token: access_token}")
        }
        if map.has("refresh"), let read, read.value.refreshToken == nil {
            reading.report(
                read.position,
                "\"refresh\" spends a refresh token, and \"read\" takes none; add refresh_token: and its place"
            )
        }
        for key in ["read_refreshed", "refresh_lifetime"] where !map.has("refresh") {
            if let place = map.place(of: key) {
                reading.report(
                    place, "\"\(key)\" has no meaning without \"refresh\"; add that, or take this out")
            }
        }
    }

    private func readLifetimes(_ map: inout MapReader) -> (Duration?, Duration?, Duration?) {
        let lifetime = map.value("lifetime", .duration(in: Bounds.lifetime))
        let refresh = map.value("refresh_lifetime", .duration(in: Bounds.lifetime))
        let before = map.value("renew_before", .duration(in: Bounds.renewBefore))
        if let lifetime, let before, before.value > lifetime.value / 2 {
            reading.report(
                before.position,
                "\"renew_before\" is more than half of \"lifetime\", and tokens live for half at least; lower it"
            )
        }
        return (lifetime?.value, refresh?.value, before?.value)
    }
}

extension CredentialReader {
    private func readLogin(_ map: inout MapReader) -> LoginSettings? {
        var login: LoginSettings?
        map.map("login") { map in
            var usesPKCE = false
            map.set(&usesPKCE, "pkce", .flag)
            let problemsBefore = reading.problemCount
            let reach = Reach.authorize(pkce: usesPKCE)
            _ = names.takeUsedInputs()
            let authorize = map.value("authorize", calls.place(reach))
            let query = names.fields(&map, "query", reach: reach)
            let used = names.takeUsedInputs()
            let isComplete = reading.problemCount == problemsBefore
            let exchange = call(&map, "exchange", reach: .exchange(pkce: usesPKCE), mustName: "code")
            let redirect = map.value("redirect_uri", .text(Self.redirectURI))
            guard let place = map.place else { return }
            for key in ["authorize", "exchange"] where !map.has(key) {
                reading.report(place, "\"login\" needs \"\(key)\"; add it")
            }
            if isComplete { check(used, query, place, pkce: usesPKCE, hasRedirect: redirect != nil) }
            guard let authorize, let exchange else { return }
            var found = LoginSettings(authorize: authorize.value, exchange: exchange)
            found.query = query
            found.usesPKCE = usesPKCE
            found.redirectURI = redirect?.value
            login = found
        }
        return login
    }

    private func check(
        _ used: Set<String>, _ query: [NamedTemplate], _ place: SourcePosition, pkce: Bool, hasRedirect: Bool
    ) {
        if !used.contains("state") {
            reading.report(
                place,
                """
                "login" sends no ${state}, without which anybody's code would be taken for yours; add \
                state: "${state}" to its "query"
                """)
        }
        if !used.contains("redirect_uri"), !hasRedirect {
            reading.report(
                place,
                """
                "login" sends no ${redirect_uri}; add it to its "query", or say under "redirect_uri" which one \
                the provider knows
                """)
        }
        let hasMethod = query.contains { $0.name == "code_challenge_method" && $0.value == [.text("S256")] }
        if pkce, !used.contains("code_challenge") || !hasMethod {
            reading.report(
                place,
                """
                "pkce" needs code_challenge: "${code_challenge}" and code_challenge_method: S256 in "query"; add \
                them
                """)
        }
    }

    /// Where the browser is sent back to: this machine over HTTP, or a page of the user's over HTTPS.
    private static func redirectURI(_ text: String) throws(Misfit) -> String {
        let url = try UpstreamURL(parsing: text)
        guard url.scheme == .https || UpstreamURL.isLoopback(url.host) else {
            throw Misfit("is plain HTTP to another machine; write http://127.0.0.1:PORT/PATH, or https://")
        }
        return text
    }
}
