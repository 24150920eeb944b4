import TollkeyCore

/// What `${name}` means in one provider's templates, and which names have been used.
///
/// Secrets, credentials and values share one namespace. Their names are taken from the description before anything is
/// read, so that templates may use what stands further down.
final class Names {
    let reading: Reading
    /// The provider, for messages.
    let owner: YamlNode.Entry
    private let secrets: Set<String>
    /// By a credential's name, the further values of its answers.
    private let credentials: [String: Set<String>]
    private let values: Set<String>
    /// What `${scopes}` stands for; nil without scopes.
    private let scopes: String?

    /// What values are made of, also through others. Filled in before other templates are read.
    var madeOf: [String: Ingredients] = [:]
    /// Secrets that templates name, each with the first place that does.
    private(set) var needed: [(name: String, position: SourcePosition)] = []
    private(set) var usedCredentials: Set<String> = []
    private(set) var usedValues: Set<String> = []
    private var usedInputs: Set<String> = []
    private var keySecrets: Set<String> = []
    private var otherSecrets: Set<String> = []

    /// What a value takes from elsewhere.
    struct Ingredients {
        var hasRequest = false
        var credentials: Set<String> = []
    }

    /// A template's place.
    struct Place {
        var key: String
        var position: SourcePosition
        var reach: Reach
        /// The key of a signature, where a secret may hold any bytes.
        var isKey = false
    }

    /// - Parameter node: the provider, laid over its description.
    init(_ node: YamlNode, of owner: YamlNode.Entry, reading: Reading) {
        self.reading = reading
        self.owner = owner
        let secrets = node["secrets"]?.entries ?? []
        let credentials = node["credentials"]?.entries ?? []
        let values = node["values"]?.entries ?? []
        self.secrets = Set(secrets.map(\.key))
        self.credentials = Dictionary(
            credentials.map { ($0.key, Self.values(of: $0.value)) }, uniquingKeysWith: { one, _ in one })
        self.values = Set(values.map(\.key))
        scopes = Self.scopes(node)
        checkClashes([("secret", secrets), ("credential", credentials), ("value", values)])
    }

    /// Secrets that only sign.
    var signingSecrets: Set<String> { keySecrets.subtracting(otherSecrets) }

    /// Credentials that a provider's own headers and parameters are made of, also through values.
    func credentials(in provider: ProviderSettings) -> Set<String> {
        let headers = (provider.inject + provider.defaults).map(\.value)
        var found: Set<String> = []
        for part in (headers + provider.injectQuery.map(\.value)).joined() {
            switch part {
            case .credential(let name): found.insert(String(name.prefix { $0 != "." }))
            case .value(let name): found.formUnion(madeOf[name]?.credentials ?? [])
            case .text, .secret, .request, .input: break
            }
        }
        return found
    }

    /// The inputs named since the last time that somebody asked.
    func takeUsedInputs() -> Set<String> {
        defer { usedInputs = [] }
        return usedInputs
    }

    /// A secret that something besides a template names.
    func need(_ secret: String, at position: SourcePosition) {
        if !needed.contains(where: { $0.name == secret }) { needed.append((secret, position)) }
    }

    /// `text` with each name for what it is; nil once something has been reported.
    func resolve(_ text: TemplateText, at place: Place) -> Template? {
        var template: Template = []
        for part in text.parts {
            switch part {
            case .text(let text): template.append(.text(text))
            case .name(let name):
                do throws(Misfit) {
                    template.append(try resolve(name, at: place))
                } catch {
                    reading.report(place.position, "\"\(place.key)\" \(error.message)")
                    return nil
                }
            }
        }
        return template
    }

    private func resolve(_ name: String, at place: Place) throws(Misfit) -> TemplatePart {
        if let dot = name.firstIndex(of: ".") {
            let (first, rest) = (String(name[..<dot]), String(name[name.index(after: dot)...]))
            guard first == "request" else { return try credential(first, value: rest, at: place) }
            guard place.reach.hasRequest else {
                throw Misfit(
                    """
                    names a part of the call that is forwarded, which only "inject", "defaults", "inject_query" \
                    and "values" can
                    """)
            }
            return .request(try RequestPart.parse(rest))
        }
        if place.reach.inputs.contains(name) {
            usedInputs.insert(name)
            return .input(name)
        }
        if credentials[name] != nil { return try credential(name, value: nil, at: place) }
        if values.contains(name) { return try value(name, at: place) }
        if name == "scopes" {
            guard let scopes else { throw Misfit("names the scopes, and there are none; add \"scopes\"") }
            return .text(scopes)
        }
        if name == "request" {
            throw Misfit("names the request as a whole; name a part, such as \(RequestPart.forms)")
        }
        if let giver = Reach.givers[name], !secrets.contains(name) {
            throw Misfit("names \"\(name)\", which only \(giver) has")
        }
        if place.reach.asksForMore, !secrets.contains(name) {
            usedInputs.insert(name)
            return .input(name)
        }
        return try secret(name, at: place)
    }

    private func secret(_ name: String, at place: Place) throws(Misfit) -> TemplatePart {
        let isKnown = secrets.contains(name) || place.position.file != reading.file
        let others = credentials.keys.sorted() + values.sorted() + place.reach.inputs
        if !isKnown, let near = NearMiss.of(name, among: others) {
            throw Misfit(
                "names \"\(name)\", which is no secret, credential or value here; did you mean \"\(near)\"?")
        }
        need(name, at: place.position)
        if place.isKey { keySecrets.insert(name) } else { otherSecrets.insert(name) }
        return .secret(name)
    }

    private func value(_ name: String, at place: Place) throws(Misfit) -> TemplatePart {
        usedValues.insert(name)
        let ingredients = madeOf[name] ?? Ingredients()
        if ingredients.hasRequest, !place.reach.hasRequest {
            throw Misfit(
                """
                names the value "\(name)", which depends on the call that is forwarded; only "inject", "defaults", \
                "inject_query" and other values can
                """)
        }
        for credential in ingredients.credentials.sorted() { try check(credential, at: place) }
        return .value(name)
    }

    private func credential(
        _ name: String, value: String?, at place: Place
    ) throws(Misfit) -> TemplatePart {
        guard let known = credentials[name] else {
            let hint = NearMiss.hint(for: name, among: credentials.keys.sorted())
            throw Misfit("names a value of \"\(name)\", and there is no such credential\(hint)")
        }
        try check(name, at: place)
        guard let value else { return .credential(name) }
        guard known.contains(value) else {
            let hint = NearMiss.hint(for: value, among: known.sorted())
            throw Misfit(
                """
                names a value of the credential "\(name)" that its answer is not read for\(hint); add it to \
                "values" under its "read"
                """)
        }
        return .credential("\(name).\(value)")
    }

    private func check(_ credential: String, at place: Place) throws(Misfit) {
        switch place.reach.credentials {
        case .all:
            usedCredentials.insert(credential)
        // That a credential is renewed with itself is no use of it.
        case .own(let name) where name == credential:
            break
        case .none, .own:
            throw Misfit(
                "names the credential \"\(credential)\"; a credential is obtained with secrets alone")
        }
    }

    private func checkClashes(_ kinds: [(kind: String, entries: [YamlNode.Entry])]) {
        var owners: [String: (kind: String, position: SourcePosition)] = [:]
        for (kind, entries) in kinds {
            for entry in entries where Quantity.isName(entry.key) {
                if let giver = Reach.givers[entry.key] {
                    reading.report(
                        entry.position,
                        "\"\(entry.key)\" is a name that \(giver) gives a meaning; call this \(kind) otherwise"
                    )
                } else if let first = owners[entry.key] {
                    reading.report(
                        entry.position,
                        """
                        "\(entry.key)" is a \(first.kind)'s name too, at \(first.position), and templates could \
                        not tell them apart; rename one of them
                        """)
                } else {
                    owners[entry.key] = (kind, entry.position)
                }
            }
        }
    }

    private static func values(of credential: YamlNode) -> Set<String> {
        let reads = [credential["read"], credential["read_refreshed"]]
        return Set(reads.flatMap { $0?["values"]?.entries ?? [] }.map(\.key))
    }

    private static func scopes(_ node: YamlNode) -> String? {
        switch node["scopes"]?.content {
        case .scalar(let scope): scope.text
        case .list(let scopes): scopes.compactMap(\.text).joined(separator: " ")
        case .map, .refused, nil:
            node["scope_calls"]?.entries?.map(\.key).joined(separator: " ")
        }
    }
}
