/// A call that the proxy makes by itself, ready to be sent.
package struct RenderedCall: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case upstream
        case elsewhere(UpstreamURL)
    }

    package var method: String
    package var place: Place
    /// Path, with the upstream's base path, and query.
    package var target: Secret
    package var headers: [RenderedHeader] = []
    package var content: Secret?
    /// nil without content, and when one of `headers` says it.
    package var contentType: String?
    /// Whether the provider's injected headers are still to be added, with `CredentialSnapshot.authenticate`.
    package var isAuthenticated = false

    /// Whether it goes with a header of that name.
    package func has(header name: String) -> Bool {
        if contentType != nil, name.inName == "content-type" { return true }
        return headers.contains { $0.name.inName == name.inName }
    }

    mutating func remove(header name: String) {
        if name.inName == "content-type" { contentType = nil }
        headers.removeAll { $0.name.inName == name.inName }
    }
}

extension TemplateFiller {
    /// Query parameters, form fields and members of JSON that consist of inputs which were not given are left out.
    package mutating func render(
        _ call: CallSettings, for provider: ProviderSettings
    ) throws(RenderingError) -> RenderedCall {
        let place: RenderedCall.Place =
            switch call.place {
            case .upstream: .upstream
            case .elsewhere(let url, _): .elsewhere(url)
            }
        var rendered = RenderedCall(
            method: call.method, place: place, target: try target(call.place, call.query, for: provider))
        rendered.isAuthenticated = call.isAuthenticated
        if let basic = call.basic { rendered.headers.append(try authorization(basic)) }
        for header in call.headers { rendered.headers.append(try fill(header)) }
        let saysType = rendered.has(header: "Content-Type")
        switch call.content {
        case .none: break
        case .form(let fields):
            rendered.content = Secret(try pairs(fields, PercentEncoding.appendForm))
            rendered.contentType = saysType ? nil : "application/x-www-form-urlencoded"
        case .json(let template):
            rendered.content = Secret(try json(template) ?? [])
            rendered.contentType = saysType ? nil : "application/json"
        }
        return rendered
    }

    /// The whole URL, for a person's browser.
    package mutating func url(
        _ place: CallSettings.Place, query: [NamedTemplate], for provider: ProviderSettings
    ) throws(RenderingError) -> Secret {
        let base =
            switch place {
            case .upstream: provider.upstream
            case .elsewhere(let url, _): url
            }
        let target = try target(place, query, for: provider)
        return target.reveal { Secret(Array("\(base.scheme.rawValue)://\(base.authority)".utf8) + $0) }
    }

    private mutating func target(
        _ place: CallSettings.Place, _ query: [NamedTemplate], for provider: ProviderSettings
    ) throws(RenderingError) -> Secret {
        var target: [UInt8]
        switch place {
        case .upstream(let path): target = Array(provider.upstream.basePath.utf8) + (try self.path(path))
        case .elsewhere(_, let path): target = try self.path(path)
        }
        if target.isEmpty { target = [UInt8(ascii: "/")] }
        let parameters = try pairs(query, PercentEncoding.append)
        if !parameters.isEmpty {
            // A path of the configuration may bring a query of its own.
            let mark = target.contains(UInt8(ascii: "?")) ? UInt8(ascii: "&") : UInt8(ascii: "?")
            target.append(mark)
            target += parameters
        }
        return Secret(target)
    }

    /// Text stays as it is written; what is filled in stays within its segment.
    private mutating func path(_ template: Template) throws(RenderingError) -> [UInt8] {
        var path: [UInt8] = []
        for part in template {
            if case .text(let text) = part {
                path += Array(text.utf8)
            } else {
                PercentEncoding.append(try bytes(of: [part]), to: &path)
            }
        }
        guard path.allSatisfy({ Characters.isQuery($0) }),
            !RequestTarget.hasDotSegments(
                path.span, 0..<(path.firstIndex(of: UInt8(ascii: "?")) ?? path.count))
        else { throw .invalidPath }
        return path
    }

    /// As `name=value`, for a query.
    mutating func parameter(_ parameter: NamedTemplate) throws(RenderingError) -> Secret {
        Secret(try pairs([parameter], PercentEncoding.append))
    }

    private mutating func pairs(
        _ pairs: [NamedTemplate], _ encode: ([UInt8], inout [UInt8]) -> Void
    ) throws(RenderingError) -> [UInt8] {
        var text: [UInt8] = []
        for pair in pairs where !isAbsent(pair.value) {
            if !text.isEmpty { text.append(UInt8(ascii: "&")) }
            encode(Array(pair.name.utf8), &text)
            text.append(UInt8(ascii: "="))
            encode(try bytes(of: pair.value), &text)
        }
        return text
    }

    /// RFC 7617, user and password as they are: RFC 6749 §2.3.1 would have a client's id and secret form-encoded first,
    /// which most token endpoints do not undo. Whoever meets one that does writes them encoded.
    private mutating func authorization(_ basic: CallSettings.Basic) throws(RenderingError) -> RenderedHeader
    {
        let user = try bytes(of: basic.user)
        guard !user.contains(UInt8(ascii: ":")) else { throw .invalidUser }
        let pair = user + [UInt8(ascii: ":")] + (try bytes(of: basic.password))
        return RenderedHeader(
            name: "Authorization", value: Secret(Array("Basic ".utf8) + TextEncoding.base64.encode(pair)))
    }
}
