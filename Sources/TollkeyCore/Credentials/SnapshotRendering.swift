/// One sending of one request: each value that is made for it is made once, and is the same wherever it is used.
///
/// A class, so that requests which need none pass on a pointer to nothing: as a structure it made the writing of every
/// head a third slower.
final class SnapshotRendering {
    private let recipe: SnapshotRecipe
    private var filler: TemplateFiller?
    /// What has been written of the request so far.
    var request: RequestParts

    /// nil when `snapshot` is the same for every request.
    init?(_ snapshot: CredentialSnapshot, _ request: @autoclosure () -> RequestParts, now: Int64) {
        guard !snapshot.isConstant else { return nil }
        recipe = snapshot.recipe
        self.request = request()
        filler = recipe.filler
        filler?.now = now
    }

    /// As `name=value`. It sees the query as it stands before it, so that a signature can be its last parameter.
    func parameter(_ parameter: SnapshotRecipe.Parameter) throws(RenderingError) -> Secret {
        if let constant = parameter.constant { return constant }
        filler?.request = request
        guard let text = try filler?.parameter(parameter.settings) else {
            throw .missing(parameter.settings.name)
        }
        return text
    }

    /// A default counts as sent by the client from here on: what is signed is what the provider sees.
    func defaultHeader(_ header: SnapshotRecipe.Header) throws(RenderingError) -> RenderedHeader {
        let rendered = try self.header(header)
        let name = header.settings.name.inName
        if recipe.parts.contains(.header(name)) { request.headers[name] = rendered.value }
        return rendered
    }

    func header(_ header: SnapshotRecipe.Header) throws(RenderingError) -> RenderedHeader {
        if let constant = header.constant { return constant }
        filler?.request = request
        guard let rendered = try filler?.fill(header.settings) else { throw .missing(header.settings.name) }
        return rendered
    }
}

extension CredentialSnapshot {
    /// Writes the query that the provider gets to see: the client's parameters, less those that are injected, and
    /// behind them ours. `query` begins with its `?` or is empty.
    func writeQuery(
        _ query: Span<UInt8>, into out: Buffer, _ rendering: SnapshotRendering?
    ) throws(RenderingError) {
        let start = out.count
        QueryText.write(query, without: recipe.queryNames, into: out)
        for parameter in recipe.query {
            rendering?.request.query = Secret(Array(out.readable[start...]))
            let text = try rendering?.parameter(parameter) ?? parameter.constant
            out.append(byte: out.count == start ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            text?.reveal { out.append($0) }
        }
    }

    /// Adds to a call of the proxy's own what goes with every forwarded one. `upstream` is the provider's.
    package func authenticate(
        _ call: inout RenderedCall, upstream: UpstreamURL, now: Int64
    ) throws(RenderingError) {
        let target = call.target.reveal { $0 }
        let path = 0..<(target.firstIndex(of: UInt8(ascii: "?")) ?? target.count)
        let rendering = SnapshotRendering(
            self, RequestParts(call, upstream: upstream, readsFields: recipe.parts.readFields), now: now)
        rendering?.request.path = Secret(Array(target[path]))
        let out = Buffer(capacity: 1 << 10)
        out.append(target.span.extracting(path))
        try writeQuery(target.span.extracting(path.upperBound..<target.count), into: out, rendering)
        call.target = Secret(Array(out.readable))
        rendering?.request.query = Secret(Array(out.readable[path.upperBound...]))

        for header in recipe.defaults where !call.has(header: header.settings.name) {
            guard let added = try rendering?.defaultHeader(header) ?? header.constant else { continue }
            call.headers.append(added)
        }
        for header in recipe.inject {
            guard let added = try rendering?.header(header) ?? header.constant else { continue }
            call.remove(header: added.name)
            call.headers.append(added)
        }
    }

    /// Further headers for one request, such as those with a verification token, made of `inputs` besides what the
    /// snapshot holds.
    package func headers(
        _ settings: [InjectedHeader], inputs: [String: Secret], now: Int64
    ) throws(RenderingError) -> [RenderedHeader] {
        var filler = recipe.filler
        filler?.inputs = inputs
        filler?.now = now
        var headers: [RenderedHeader] = []
        for header in settings {
            guard let rendered = try filler?.fill(header) else { throw .missing(header.name) }
            headers.append(rendered)
        }
        return headers
    }
}
