/// Fills templates: takes each piece from where it is kept, and computes values when they are first asked for, so that
/// a nonce is the same one in the header and in the signature over it.
package struct TemplateFiller: Sendable {
    private let plan: ValuePlan
    private let secrets: [String: Secret]
    /// By `NAME`, or `NAME.VALUE` for another value of the same answer.
    private let credentials: [String: Secret]
    /// What the step that makes the call gives.
    package var inputs: [String: Secret]
    /// Milliseconds since 1970; nil while only constants are filled in.
    package var now: Int64?
    /// nil for calls that the proxy makes by itself.
    package var request: RequestParts?
    let cryptography: any Cryptography
    private var computed: [String: Secret] = [:]

    package init(
        _ plan: ValuePlan, secrets: [String: Secret], credentials: [String: Secret],
        inputs: [String: Secret] = [:], now: Int64? = nil, cryptography: any Cryptography
    ) {
        self.plan = plan
        self.secrets = secrets
        self.credentials = credentials
        self.inputs = inputs
        self.now = now
        self.cryptography = cryptography
    }

    package mutating func fill(_ template: Template) throws(RenderingError) -> Secret {
        Secret(try bytes(of: template))
    }

    /// As `fill`; a header's value must not end its line or begin another (RFC 9110 §5.5).
    package mutating func fill(_ header: InjectedHeader) throws(RenderingError) -> RenderedHeader {
        let value = try bytes(of: header.value)
        guard value.allSatisfy({ Characters.isFieldValue($0) }) else { throw .invalidHeader(header.name) }
        return RenderedHeader(name: header.name, value: Secret(value))
    }

    /// Whether `template` consists of inputs alone, none of which was given: what holds it is left out.
    func isAbsent(_ template: Template) -> Bool {
        !template.isEmpty
            && template.allSatisfy { part in
                if case .input(let name) = part { inputs[name] == nil } else { false }
            }
    }

    /// `end` is the position of the value that asks; it may use earlier ones only, so that none waits for itself.
    mutating func bytes(of template: Template, before end: Int = .max) throws(RenderingError) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in template {
            switch part {
            case .text(let text): bytes += Array(text.utf8)
            case .secret(let name): bytes += try held(secrets[name], name)
            case .credential(let name): bytes += try held(credentials[name], name)
            case .input(let name): bytes += try held(inputs[name], name)
            case .request(let part): bytes += try held(request?.value(of: part), part.name)
            case .value(let name): bytes += try value(name, before: end)
            }
        }
        return bytes
    }

    private func held(_ secret: Secret?, _ name: String) throws(RenderingError) -> [UInt8] {
        guard let secret else { throw .missing(name) }
        return secret.reveal { $0 }
    }

    private mutating func value(_ name: String, before end: Int) throws(RenderingError) -> [UInt8] {
        if let computed = computed[name] { return computed.reveal { $0 } }
        guard let position = plan.positions[name], position < end else { throw .missing(name) }
        let bytes = try compute(plan.values[position], at: position)
        computed[name] = Secret(bytes)
        return bytes
    }

    /// Computes what stays the same for all requests and is used by `templates`; tries the keys of what does not, so
    /// that a key which cannot sign is known before the first request.
    mutating func prepare(_ templates: [Template]) throws(RenderingError) {
        for value in plan.values(usedBy: templates) {
            if plan.isConstant([.value(value.name)]) {
                _ = try bytes(of: [.value(value.name)])
            } else if case .rsa(let digest, let key, _, _) = value.kind, plan.isConstant(key) {
                let key = try bytes(of: key)
                guard cryptography.rsaSignature(digest, key: key, []) != nil else {
                    throw .unusableKey(value.name)
                }
            }
        }
    }
}

extension RequestPart {
    /// As it is written in a template.
    var name: String {
        switch self {
        case .method: "request.method"
        case .path: "request.path"
        case .query: "request.query"
        case .target: "request.target"
        case .url: "request.url"
        case .host: "request.host"
        case .body: "request.body"
        case .field: "request.field"
        case .header(let name): "request.header.\(name)"
        }
    }
}
