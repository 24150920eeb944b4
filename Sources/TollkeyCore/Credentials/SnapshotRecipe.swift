/// What a snapshot consists of, piece by piece. A class, so that a snapshot is passed on without copying it.
final class SnapshotRecipe: Sendable {
    /// A header and, where it is the same for every request, what it comes to.
    struct Header: Sendable {
        let settings: InjectedHeader
        let constant: RenderedHeader?
    }

    /// A query parameter and, where it is the same for every request, its text.
    struct Parameter: Sendable {
        let settings: NamedTemplate
        let constant: Secret?
    }

    let inject: [Header]
    let defaults: [Header]
    let query: [Parameter]
    /// The names in `query`.
    let queryNames: [[UInt8]]
    let isConstant: Bool
    let needsContent: Bool
    /// What is taken from a request.
    let parts: Set<RequestPart>
    /// Has all constant values computed; nil when no value is.
    let filler: TemplateFiller?

    init(headers: [InjectedHeader], defaults: [InjectedHeader], secrets: [String: Secret]) {
        func header(_ settings: InjectedHeader) -> Header {
            var value: [UInt8] = []
            for part in settings.value {
                switch part {
                case .text(let text): value += Array(text.utf8)
                case .secret(let name): secrets[name]?.reveal { value += $0 }
                case .credential, .value, .request, .input: break
                }
            }
            return Header(
                settings: settings, constant: RenderedHeader(name: settings.name, value: Secret(value)))
        }
        inject = headers.map(header)
        self.defaults = defaults.map(header)
        query = []
        queryNames = []
        isConstant = true
        needsContent = false
        parts = []
        filler = nil
    }

    init(_ provider: ProviderSettings, _ plan: ValuePlan, _ given: TemplateFiller) throws(RenderingError) {
        let templates =
            (provider.inject + provider.defaults).map(\.value) + provider.injectQuery.map(\.value)
        var filler = given
        try filler.prepare(templates)
        inject = try Self.headers(provider.inject, plan, &filler)
        defaults = try Self.headers(provider.defaults, plan, &filler)
        var query: [Parameter] = []
        for settings in provider.injectQuery {
            let constant = plan.isConstant(settings.value) ? try filler.parameter(settings) : nil
            query.append(Parameter(settings: settings, constant: constant))
        }
        self.query = query
        queryNames = provider.injectQuery.map { Array($0.name.utf8) }
        isConstant = templates.allSatisfy { plan.isConstant($0) }
        parts = plan.requestParts(of: templates)
        needsContent = parts.needContent
        self.filler = filler
    }

    private static func headers(
        _ settings: [InjectedHeader], _ plan: ValuePlan, _ filler: inout TemplateFiller
    ) throws(RenderingError) -> [Header] {
        var headers: [Header] = []
        for header in settings {
            headers.append(
                Header(
                    settings: header,
                    constant: plan.isConstant(header.value) ? try filler.fill(header) : nil))
        }
        return headers
    }
}
