import TollkeyCore

extension ProviderReader {
    /// `secrets`: fetched, and held against what the templates need. `areAllUsesKnown` is false when a template
    /// could not be read, so that nothing can be said about what is unused.
    func readSecrets(
        _ map: inout MapReader, _ provider: inout ProviderSettings, _ names: Names,
        _ variants: [YamlNode.Entry], areAllUsesKnown: Bool
    ) {
        let given = map.entries("secrets", max: Bounds.secrets)?.value ?? []
        let signing = names.signingSecrets
        let pem = Set(provider.values.compactMap(\.privateKey))
        for entry in given {
            guard Quantity.isName(entry.key) else {
                reading.report(
                    entry.position,
                    """
                    a secret's name is 1 to \(Bounds.nameLength) letters, digits, "_" and "-", then a colon \
                    and a space; rename this one
                    """)
                continue
            }
            guard
                let found = secret(
                    entry, isKey: signing.contains(entry.key), isPEM: pem.contains(entry.key))
            else { continue }
            provider.secrets[entry.key] = found.secret
            provider.secretFiles[entry.key] = found.file
        }
        provider.keySecrets = signing.intersection(provider.secrets.keys)

        let known = Set(given.map(\.key))
        let wanted = Set(names.needed.map(\.name))
        let missing = names.needed.filter { !known.contains($0.name) }
        for need in missing { reportMissing(need) }
        guard areAllUsesKnown else { return }
        for entry in given where !wanted.contains(entry.key) && Quantity.isName(entry.key) {
            reportUnused(entry, missing: missing.map(\.name), variants)
        }
        for value in provider.values where !names.usedValues.contains(value.name) {
            reportUnused("value", value.name, of: "values", map)
        }
        for credential in provider.credentials where !names.usedCredentials.contains(credential.name) {
            reportUnused("credential", credential.name, of: "credentials", map)
        }
    }

    private func secret(_ entry: YamlNode.Entry, isKey: Bool, isPEM: Bool) -> SecretReader.Found? {
        guard !entry.value.isEmpty, !entry.value.isNull else {
            reading.report(entry.position, "this secret has no value; write \(SecretReference.forms)")
            return nil
        }
        return SecretReader(reading: reading).read(entry.value, "the secret \"\(entry.key)\"") {
            $0.fault(isKey: isKey) ?? (isPEM ? Self.faultAsPEM($0) : nil)
        }
    }

    /// Its outline; whether OpenSSL takes it shows when it signs.
    private static func faultAsPEM(_ secret: Secret) -> String? {
        let text = secret.reveal { String(decoding: $0, as: UTF8.self) }
        guard text.contains("-----BEGIN "), text.contains("PRIVATE KEY-----") else {
            return "is no private key in PEM (\"-----BEGIN PRIVATE KEY-----\"); name the file of one"
        }
        return text.contains("ENCRYPTED") ? "is an encrypted private key; store it without a passphrase" : nil
    }

    private func reportMissing(_ need: (name: String, position: SourcePosition)) {
        let variable = "\(entry.key)_\(need.name)".uppercased().map { $0 == "-" ? "_" : $0 }
        // A description's line cannot be changed; the user's provider can.
        let position = need.position.file == reading.file ? need.position : entry.position
        reading.report(
            position,
            """
            \(Quantity.quoted(entry.key)) needs the secret "\(need.name)"; give it under its "secrets", as in \
            \(need.name): ${env:\(String(variable))}
            """)
    }

    private func reportUnused(_ entry: YamlNode.Entry, missing: [String], _ variants: [YamlNode.Entry]) {
        // Without a value the key may be a secret that lost its name, and is not repeated.
        let name = entry.value.isEmpty ? "this one" : "\"\(entry.key)\""
        let near = NearMiss.of(entry.key, among: missing)
        let variant = variants.first { Quantity.isName($0.key) && $0.value.contains("${\(entry.key)}") }
        let hint =
            near.map { "did you mean \"\($0)\"?" }
            ?? variant.map { "with \"variant: \($0.key)\" it would be" }
            ?? "write \"${its_name}\" where it belongs, or take it out"
        reading.report(entry.position, "the secret \(name) is not used; \(hint)")
    }

    /// A description's cannot be taken out of it; it can be taken away.
    private func reportUnused(_ kind: String, _ name: String, of key: String, _ map: MapReader) {
        let place = map.place(of: name, under: key)
        if let place, place.file == reading.file {
            reading.report(
                place,
                "nothing uses the \(kind) \"\(name)\"; write \"${\(name)}\" where it belongs, or take it out")
        } else {
            reading.report(
                entry.position,
                "nothing uses the description's \(kind) \"\(name)\"; take it away with \(key): {\(name): ~}")
        }
    }
}

extension ValueSettings {
    /// The secret that must be a private key.
    fileprivate var privateKey: String? {
        guard case .rsa(_, let key, _, _) = kind, key.count == 1, case .secret(let name) = key[0] else {
            return nil
        }
        return name
    }
}

extension YamlNode {
    /// Whether `text` is a part of any scalar in it.
    fileprivate func contains(_ text: String) -> Bool {
        switch content {
        case .scalar(let scalar): scalar.text.contains(text)
        case .list(let nodes): nodes.contains { $0.contains(text) }
        case .map(let entries): entries.contains { $0.value.contains(text) }
        case .refused: false
        }
    }
}
