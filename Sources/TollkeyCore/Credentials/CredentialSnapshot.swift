/// What is injected into a provider's calls right now, all of one generation: finished header lines, and how the rest
/// is made that is different for each request.
///
/// Event loops read the published snapshot without waiting for anybody; a renewal publishes the next one.
package final class CredentialSnapshot: Sendable, CustomStringConvertible {
    /// Grows with each snapshot that is published for a provider.
    package let generation: Int
    /// When the first of the credentials in it dies.
    package let expires: Deadline
    /// Nothing in it depends on the request; otherwise a head is written with an `Occasion`.
    package let isConstant: Bool
    /// The constant header lines.
    private let lines: Secret
    /// The constant ones among the defaults, by position.
    private let defaultLines: [Secret?]
    /// All that is constant, a line each.
    private let constants: Secret
    let recipe: SnapshotRecipe

    package var description: String { "credentials, generation: \(generation)" }

    /// A request's content must be held until its end before its head can be written.
    package var needsContent: Bool { recipe.needsContent }
    var injectsQuery: Bool { !recipe.query.isEmpty }

    /// Renders `headers` and `defaults` with `secrets`; a secret that is missing renders as nothing, which the
    /// configuration's checks exclude.
    package convenience init(
        generation: Int, headers: [InjectedHeader], defaults: [InjectedHeader] = [], secrets: [String: Secret]
    ) {
        self.init(
            generation, .never, SnapshotRecipe(headers: headers, defaults: defaults, secrets: secrets))
    }

    /// `secrets` are the provider's as they stand now; `credentials` what was obtained, by `NAME`, or `NAME.VALUE`.
    /// Throws unless all that does not depend on a request can be rendered.
    package convenience init(
        generation: Int, provider: ProviderSettings, secrets: [String: Secret],
        credentials: [String: Secret] = [:], expires: Deadline = .never, cryptography: any Cryptography
    ) throws(RenderingError) {
        let plan = ValuePlan(provider.values)
        let filler = TemplateFiller(
            plan, secrets: secrets, credentials: credentials, cryptography: cryptography)
        self.init(generation, expires, try SnapshotRecipe(provider, plan, filler))
    }

    private init(_ generation: Int, _ expires: Deadline, _ recipe: SnapshotRecipe) {
        self.generation = generation
        self.expires = expires
        self.recipe = recipe
        isConstant = recipe.isConstant
        lines = Secret(recipe.inject.flatMap { $0.constant?.line.reveal { $0 } ?? [] })
        defaultLines = recipe.defaults.map { $0.constant?.line }
        let all = [lines] + defaultLines.compactMap(\.self) + recipe.query.compactMap(\.constant)
        constants = Secret(Array(all.map { $0.reveal { $0 } }.joined(separator: [10])))
    }

    /// Whether `text`, unless it is very short, stands in what goes with every call: a provider that repeats it must not
    /// bring it into a log.
    package func holds(_ text: String) -> Bool {
        let text = Array(text.utf8)
        guard text.count >= Self.tellingBytesMin else { return false }
        return constants.reveal { bytes in
            var start = 0
            while start + text.count <= bytes.count {
                if bytes[start] == text[0], bytes.span.extracting(start..<start + text.count).equals(text) {
                    return true
                }
                start += 1
            }
            return false
        }
    }

    /// Fewer are found by chance.
    private static let tellingBytesMin = 8

    /// Writes the constant header lines into a head.
    package func write(into buffer: Buffer) {
        lines.reveal { buffer.append($0) }
    }

    /// Writes the header lines into a head.
    func writeHeaders(into buffer: Buffer, _ rendering: SnapshotRendering?) throws(RenderingError) {
        write(into: buffer)
        guard let rendering else { return }
        for header in recipe.inject where header.constant == nil {
            try rendering.header(header).write(into: buffer)
        }
    }

    /// Writes a default into a head, by its position among the provider's.
    func writeDefault(
        _ position: Int, into buffer: Buffer, _ rendering: SnapshotRendering?
    ) throws(RenderingError) {
        if let rendering {
            guard position < recipe.defaults.count else { return }
            try rendering.defaultHeader(recipe.defaults[position]).write(into: buffer)
        } else if position < defaultLines.count {
            defaultLines[position]?.reveal { buffer.append($0) }
        }
    }
}
