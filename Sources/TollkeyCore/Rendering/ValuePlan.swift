/// A provider's computed values: which of them stay the same for a whole generation of the credentials, and what the
/// others take from a request.
package struct ValuePlan: Sendable {
    let values: [ValueSettings]
    let positions: [String: Int]
    /// By position: made of secrets and credentials alone.
    private let constants: [Bool]

    /// Each value uses earlier ones only; one that uses a later one finds nothing there.
    package init(_ values: [ValueSettings]) {
        var positions: [String: Int] = [:]
        var constants: [Bool] = []
        for (position, value) in values.enumerated() {
            constants.append(
                value.kind.isDetermined
                    && value.kind.templates.allSatisfy { Self.isConstant($0, positions, constants) })
            if positions[value.name] == nil { positions[value.name] = position }
        }
        self.values = values
        self.positions = positions
        self.constants = constants
    }

    /// Whether `template` comes out the same for every request of a generation.
    package func isConstant(_ template: Template) -> Bool { Self.isConstant(template, positions, constants) }

    private static func isConstant(_ template: Template, _ positions: [String: Int], _ constants: [Bool])
        -> Bool
    {
        template.allSatisfy { part in
            switch part {
            case .text, .secret, .credential, .input: true
            case .value(let name): positions[name].map { $0 < constants.count && constants[$0] } ?? true
            case .request: false
            }
        }
    }

    /// The names of the values that `templates` use, directly or through others, in the order of the settings.
    package func values(usedBy templates: [Template]) -> [ValueSettings] {
        var isUsed = Array(repeating: false, count: values.count)
        func mark(_ templates: [Template]) {
            for case .value(let name) in templates.joined() {
                if let position = positions[name] { isUsed[position] = true }
            }
        }
        mark(templates)
        // From the back: what uses a value stands behind it.
        for position in values.indices.reversed() where isUsed[position] {
            mark(values[position].kind.templates)
        }
        return zip(values, isUsed).compactMap { $1 ? $0 : nil }
    }

    /// What `templates` take from a request, directly or through values.
    package func requestParts(of templates: [Template]) -> Set<RequestPart> {
        var parts: Set<RequestPart> = []
        for case .request(let part) in (templates + values(usedBy: templates).flatMap(\.kind.templates))
            .joined()
        {
            parts.insert(part)
        }
        return parts
    }
}

extension Set<RequestPart> {
    /// Whether the content must be held until its end.
    package var needContent: Bool {
        contains { part in
            switch part {
            case .body, .field: true
            case .method, .path, .query, .target, .url, .host, .header: false
            }
        }
    }

    var readFields: Bool {
        contains { if case .field = $0 { true } else { false } }
    }

    /// Names of header fields, in lower case.
    var headers: [String] {
        compactMap { if case .header(let name) = $0 { name } else { nil } }
    }
}

extension ValueSettings.Kind {
    /// Whether nothing but its templates decides about it.
    var isDetermined: Bool {
        switch self {
        case .uuid, .random, .time: false
        case .encoded, .hash, .hmac, .rsa, .jwt: true
        }
    }

    package var templates: [Template] {
        switch self {
        case .uuid, .random, .time: []
        case .encoded(let template, _), .hash(_, let template, _): [template]
        case .hmac(_, let key, let template, _), .rsa(_, let key, let template, _): [key, template]
        case .jwt(let key, let claims): [key] + claims.map(\.value)
        }
    }
}
