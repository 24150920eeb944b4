/// What a template may take from the request that is being forwarded, as the provider will see it.
package struct RequestParts: Sendable {
    package var method: String
    /// `https://api.acme.test`
    package var origin: String
    /// As in `Host`.
    package var host: String
    /// With the upstream's base path, without the query.
    package var path = Secret("")
    /// With its `?`, or empty.
    package var query = Secret("")
    /// Values of header fields that the client sent, by their names in lower case.
    package var headers: [String: Secret] = [:]
    private let content: Secret?
    private let json: JSONValue?

    /// `content` is decoded; nil when it is not held. `readsFields` when it will be asked for fields of it.
    package init(method: String, upstream: UpstreamURL, content: Secret?, readsFields: Bool) {
        self.method = method
        self.content = content
        origin = "\(upstream.scheme.rawValue)://\(upstream.authority)"
        host = upstream.authority
        json = readsFields ? content.flatMap { $0.reveal { try? JSONValue($0) } } : nil
    }

    /// Of a call that the proxy makes by itself. `upstream` is the provider's.
    init(_ call: RenderedCall, upstream: UpstreamURL, readsFields: Bool) {
        var url = upstream
        if case .elsewhere(let other) = call.place { url = other }
        self.init(
            method: call.method, upstream: url, content: call.content ?? Secret(""), readsFields: readsFields)
        for header in call.headers { headers[header.name.inName] = header.value }
    }

    /// nil when the content would be needed and is not held.
    func value(of part: RequestPart) -> Secret? {
        switch part {
        case .method: Secret(method)
        case .path: path
        case .query: query.reveal { Secret(Array($0.dropFirst())) }
        case .target: Secret(target)
        case .url: Secret(Array(origin.utf8) + target)
        case .host: Secret(host)
        case .body: content
        // A field that is not there signs like an empty one, as a header does.
        case .field(let steps): content.map { _ in Secret(json?.value(at: steps)?.text ?? "") }
        case .header(let name): headers[name] ?? Secret("")
        }
    }

    private var target: [UInt8] { path.reveal { path in query.reveal { path + $0 } } }
}

/// One sending of one request, for what is computed anew each time: also for a replay.
package struct Occasion: Sendable {
    /// Milliseconds since 1970.
    package var now: Int64
    /// The request's content, decoded; nil when it is not held.
    package var content: Secret?

    package init(now: Int64, content: Secret? = nil) {
        self.now = now
        self.content = content
    }
}

extension Span<UInt8> {
    var copied: [UInt8] { withUnsafeBufferPointer { Array($0) } }
}
