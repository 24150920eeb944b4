import TollkeyCore

extension ProviderReader {
    /// `credentials` and `credential_wait`.
    func readCredentials(_ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names) {
        let injected = names.credentials(in: provider)
        map.maps("credentials", max: Bounds.credentials, of: "a credential") { name, map in
            let reader = CredentialReader(name: name, names: names, injected: injected)
            if let credential = reader.read(&map) { provider.credentials.append(credential) }
        }
        map.set(&provider.credentialWait, "credential_wait", .duration(in: Bounds.credentialWait))
    }

    /// `refused`, `probe` and `rotate`: how it shows that a credential is good, and how it gets another value.
    func readSteps(_ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names) {
        readRefusals(&map, &provider)
        readProbe(&map, &provider, names)
        map.map("rotate") { map in
            let call = CallReader(names: names).read(&map, reach: .probe)
            let secret = map.value("secret", .text(Self.secretName))
            let read = map.value("read", .text(AnswerPlace.parse))
            if let place = map.place {
                for key in ["secret", "read"] where !map.has(key) {
                    reading.report(place, "\"rotate\" needs \"\(key)\"; add it")
                }
            }
            if let secret { names.need(secret.value, at: secret.position) }
            guard let call, let secret, let read else { return }
            provider.rotation = RotationSettings(secret: secret.value, call: call.value, read: read.value)
        }
    }

    private static func secretName(_ text: String) throws(Misfit) -> String {
        guard Quantity.isName(text) else { throw Misfit("must be the name of one of the \"secrets\"") }
        return text
    }

    private func readRefusals(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        map.maps("refused", max: Bounds.refusals) { map in
            let status = map.value("status", .number(in: Bounds.status))
            let expect = AnswerReader(reading: reading).expectations(&map, "where", anyOf: true)
            guard let status else {
                if let place = map.place, !map.has("status") {
                    reading.report(place, "\"refused\" needs a \"status\"; add it, as in status: 403")
                }
                return
            }
            if status.value == 401 {
                reading.report(
                    status.position, "401 means by itself that the credential was refused; take this out")
            } else if !map.has("where"),
                !(400...499).contains(status.value) || [403, 429].contains(status.value)
            {
                reading.report(
                    status.position,
                    """
                    not every answer with this status refuses the credential; say under "where" what else must be \
                    in it, as in where: {error.code: TOKEN_EXPIRED}
                    """)
            }
            provider.refusals.append(RefusalRule(status: status.value, expect: expect))
        }
    }

    private func readProbe(_ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names) {
        map.map("probe") { map in
            let call = CallReader(names: names).read(&map, reach: .probe)
            let expect = AnswerReader(reading: reading).expectations(&map, "expect", anyOf: false)
            guard let call else { return }
            if !call.value.isAuthenticated, !call.value.namesSomething {
                reading.report(
                    call.position,
                    "\"probe\" sends no credential and so proves nothing; add \"authenticated: true\"")
            }
            provider.probe = ProbeSettings(call: call.value)
            provider.probe?.expect = expect
        }
    }

    /// `scope_calls` and `scopes`: what the token may do, as calls.
    func readScopes(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        let patterns = Format<[Placed<CallPattern>]>.list(
            of: .text(CallPattern.parse), max: Bounds.scopeCalls)
        var known: [String: [CallPattern]] = [:]
        for entry in map.entries("scope_calls", max: Bounds.scopes)?.value ?? [] {
            guard !entry.value.isEmpty else {
                reading.report(entry.position, "\"scope_calls\" has a scope without calls; write [] for none")
                continue
            }
            known[entry.key] = patterns.read(entry.value, "scope_calls", reading)?.map(\.value) ?? []
        }
        let format = Format<[Placed<String>]>.list(of: .word, least: 1, max: Bounds.scopes)
        guard let scopes = map.value("scopes", format) else { return }
        guard map.has("scope_calls") else {
            reading.report(
                scopes.position,
                "\"scopes\" needs \"scope_calls\", which say what each one opens; add them, or take this out")
            return
        }
        provider.scopes = scopes.value.compactMap { scope in
            guard let calls = known[scope.value] else {
                let hint = NearMiss.hint(for: scope.value, among: known.keys.sorted())
                reading.report(scope.position, "\"scopes\" names none of \"scope_calls\"\(hint)")
                return nil
            }
            return ScopeSettings(name: scope.value, calls: calls)
        }
    }
}

extension CallSettings {
    /// Whether a secret or a credential goes along.
    fileprivate var namesSomething: Bool {
        templates.joined().contains { if case .text = $0 { false } else { true } }
    }
}
