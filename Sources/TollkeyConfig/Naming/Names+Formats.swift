import TollkeyCore

extension Names {
    /// A template for one place.
    func format(
        for purpose: TemplateText.Purpose, reach: Reach, isKey: Bool = false
    ) -> Format<Template> {
        Format { node, key, reading in
            let text = Format<TemplateText>.text { text throws(Misfit) in
                try TemplateText.parse(text, for: purpose)
            }
            return text.read(node, key, reading).flatMap {
                self.resolve($0, at: Place(key: key, position: node.position, reach: reach, isKey: isKey))
            }
        }
    }

    /// A map of names and templates: a form, a query, a JWT's claims.
    func fields(
        _ map: inout MapReader, _ key: String, max: Int = Bounds.callFields, reach: Reach
    ) -> [NamedTemplate] {
        (map.entries(key, max: max)?.value ?? []).compactMap { entry in
            guard !entry.value.isEmpty else {
                reading.report(
                    entry.position, "\"\(key)\" has a field without a value; give it one, or take it out")
                return nil
            }
            guard (1...Bounds.fieldNameBytes).contains(entry.key.utf8.count),
                entry.key.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else {
                reading.report(
                    entry.position,
                    "\"\(key)\" has a field whose name is too long or holds a line end; shorten it")
                return nil
            }
            // An odd name may be a secret that lost its place, and is not repeated.
            let name = Quantity.isName(entry.key) ? entry.key : key
            guard let value = format(for: .field, reach: reach).read(entry.value, name, reading) else {
                return nil
            }
            checkLiteral(value, named: entry.key, at: entry.value.position)
            return NamedTemplate(name: entry.key, value: value)
        }
    }

    /// What is a credential by its name, with nothing to fill in, is a secret in clear.
    func checkLiteral(_ value: Template, named name: String, at position: SourcePosition) {
        guard Self.credentialNames.contains(HeaderName.folded(name)), !reading.literalsAllowed else { return }
        // Nothing at all keeps nothing secret.
        let isLiteral = value.allSatisfy { if case .text = $0 { true } else { false } }
        guard isLiteral, !value.isEmpty else { return }
        reading.report(
            position,
            """
            "\(name)" looks like a secret in clear; put it under "secrets" as \(SecretReference.forms) and write \
            "${its_name}" here
            """)
    }

    /// As `HeaderName.folded` writes them.
    private static let credentialNames: Set<String> = [
        "authorization", "cookie", "api-key", "x-api-key", "apikey", "access-token", "refresh-token",
        "password",
        "secret", "client-secret", "app-secret", "api-secret", "secret-key", "private-key",
    ]
}
