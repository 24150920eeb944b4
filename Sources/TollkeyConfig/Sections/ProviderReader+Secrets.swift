import TollkeyCore

extension ProviderReader {
    /// `secrets`: fetched, and held against what the templates need. `areAllNeedsKnown` is false when a
    /// template could not be read, so that nothing can be said about unused secrets.
    func readSecrets(
        _ map: inout MapReader, _ provider: inout ProviderSettings,
        needed: [(name: String, position: SourcePosition)], areAllNeedsKnown: Bool
    ) {
        let given = map.entries("secrets", max: Bounds.secrets)?.value ?? []
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
            if let secret = secret(entry) { provider.secrets[entry.key] = secret }
        }

        // They use secrets and make new ones; that they are there has a problem already.
        guard !map.has("credentials") else { return }
        let names = Set(given.map(\.key))
        let wanted = Set(needed.map(\.name))
        let unused = given.filter { !wanted.contains($0.key) && Quantity.isName($0.key) }
        for need in needed where !names.contains(need.name) {
            reportMissing(need, unused: unused.map(\.key))
        }
        for entry in unused where areAllNeedsKnown {
            let missing = needed.map(\.name).filter { !names.contains($0) }
            // Without a value the key may be a secret that lost its name, and is not repeated.
            let name = entry.value.isEmpty ? "this one" : "\"\(entry.key)\""
            reading.report(
                entry.position,
                NearMiss.of(entry.key, among: missing).map {
                    "no header uses the secret \(name); did you mean \"\($0)\"?"
                } ?? "no header uses the secret \(name); write it into \"inject\", or take it out")
        }
    }

    private func reportMissing(_ need: (name: String, position: SourcePosition), unused: [String]) {
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

    private func secret(_ entry: YamlNode.Entry) -> Secret? {
        let label = "the secret \"\(entry.key)\""
        switch entry.value.content {
        case .refused: return nil
        case .list, .map:
            reading.report(
                entry.value.position,
                "\(label) must be \(SecretReference.forms); found \(entry.value.kind)")
            return nil
        case .scalar(let scalar):
            guard !entry.value.isEmpty, !entry.value.isNull else {
                reading.report(entry.position, "this secret has no value; write \(SecretReference.forms)")
                return nil
            }
            do throws(Misfit) {
                guard let secret = try fetched(scalar.text) else { return nil }
                try Self.check(secret)
                return secret
            } catch {
                reading.report(entry.value.position, "\(label) \(error.message)")
                return nil
            }
        }
    }

    private func fetched(_ text: String) throws(Misfit) -> Secret? {
        guard let reference = try SecretReference.parse(text) else {
            if reading.literalsAllowed { return Secret(text) }
            throw Misfit(
                """
                stands here in clear, in a file that others can read; write \(SecretReference.forms), or make the \
                file readable by its owner alone (chmod 600)
                """)
        }
        let resolved: SecretReference =
            if case .file(let path) = reference {
                .file(FilePath.resolved(path, in: reading.directory))
            } else {
                reference
            }
        switch reading.secrets(resolved) {
        case .success(let secret): return secret
        case .failure(let failure): throw Misfit("cannot be had: \(failure.message)")
        }
    }

    /// A secret goes into a header, where a line end would begin another one (RFC 9110 §5.5).
    private static func check(_ secret: Secret) throws(Misfit) {
        let fault: String? = secret.reveal { bytes in
            if bytes.isEmpty { return "is empty; put the secret there" }
            if bytes.count > Bounds.secretBytes {
                return "is longer than \(Quantity.size(Bounds.secretBytes))"
            }
            if bytes.contains(where: { !Characters.isFieldValue($0) }) {
                return
                    "has a control character or a line end in it, which no header can hold; store it without"
            }
            let isSpace: (UInt8?) -> Bool = { $0 == 0x20 || $0 == 0x09 }
            return isSpace(bytes.first) || isSpace(bytes.last)
                ? "begins or ends with a space, which HTTP drops; store it without" : nil
        }
        if let fault { throw Misfit(fault) }
    }
}
