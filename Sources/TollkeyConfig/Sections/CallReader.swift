import TollkeyCore

/// A call that the proxy makes by itself. Its keys are the same wherever one stands.
struct CallReader {
    let names: Names

    private var reading: Reading { names.reading }

    private static let methods = ["get", "post", "put", "patch", "delete"]

    /// `map` may hold other keys besides, which whoever calls takes out.
    func read(_ map: inout MapReader, reach: Reach) -> Placed<CallSettings>? {
        map.vocabulary("call") { map in
            let start = start(&map, reach)
            let query = names.fields(&map, "query", reach: reach)
            let headers = headers(&map, reach)
            let content = content(&map, reach)
            let basic = basic(&map, reach)
            var isAuthenticated = false
            map.set(&isAuthenticated, "authenticated", .flag)
            guard var call = start else { return nil }
            call.value.query = query
            call.value.headers = headers
            call.value.content = content
            call.value.basic = basic
            call.value.isAuthenticated = isAuthenticated
            check(call.value, map)
            return call
        }
    }

    /// Method and place.
    private func start(_ map: inout MapReader, _ reach: Reach) -> Placed<CallSettings>? {
        let format = place(reach)
        var found: Placed<CallSettings>?
        for method in Self.methods {
            guard let place = map.value(method, format) else { continue }
            found = Placed(
                value: CallSettings(method: method.uppercased(), place: place.value), position: place.position
            )
        }
        let given = Self.methods.filter(map.has)
        if let place = map.place, given.isEmpty {
            reading.report(
                place,
                "this call has no address; write one of get, post, put, patch, delete, as in post: /oauth/token"
            )
        } else if given.count > 1, let second = map.place(of: given[1]) {
            reading.report(
                second,
                """
                a call is made once: there is "\(given[0])" and "\(given[1])"; keep one of them (write ~ for one \
                of a description's)
                """)
        }
        return given.count == 1 ? found : nil
    }

    /// A path on the provider's upstream, or a URL elsewhere.
    func place(_ reach: Reach) -> Format<CallSettings.Place> {
        Format { node, key, reading in
            let format = Format<(UpstreamURL?, TemplateText)>.text { text throws(Misfit) in
                try Self.split(text)
            }
            guard let (url, path) = format.read(node, key, reading),
                let template = names.resolve(
                    path, at: Names.Place(key: key, position: node.position, reach: reach))
            else { return nil }
            return url.map { .elsewhere(url: $0, path: template) } ?? .upstream(path: template)
        }
    }

    private static func split(_ text: String) throws(Misfit) -> (UpstreamURL?, TemplateText) {
        if text.hasPrefix("/") { return (nil, try path(text)) }
        guard text.contains("://") else {
            throw Misfit("must be a path that begins with \"/\", or a URL that begins with https://")
        }
        let (scheme, rest) = try UpstreamURL.scheme(of: text)
        let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
        if rest[..<end].contains("$") {
            throw Misfit("has a \"${…}\" in its host; write the host out")
        }
        let url = try UpstreamURL(parsing: "\(scheme.rawValue)://\(rest[..<end])")
        guard url.scheme == .https || UpstreamURL.isLoopback(url.host) else {
            throw Misfit(
                """
                is plain HTTP to another machine, so that everybody on the way could read the credentials; write \
                https://
                """)
        }
        return (url, try path(end == rest.endIndex ? "/" : String(rest[end...])))
    }

    private static func path(_ text: String) throws(Misfit) -> TemplateText {
        let template = try TemplateText.parse(text, for: .header)
        // What is filled in is one segment's part, encoded.
        let shape = template.parts.reduce(into: [UInt8]()) { bytes, part in
            if case .text(let text) = part {
                bytes += Array(text.utf8)
            } else {
                bytes.append(UInt8(ascii: "x"))
            }
        }
        if shape.contains(UInt8(ascii: "?")) {
            throw Misfit("has a query in it; write it under \"query\"")
        }
        try UpstreamURL.checkPath(shape.last == UInt8(ascii: "/") ? shape.dropLast() : shape[...])
        return template
    }

    private func headers(_ map: inout MapReader, _ reach: Reach) -> [InjectedHeader] {
        let reader = HeaderReader(names: names)
        let headers = reader.read(&map, "headers", reach: reach)
        _ = reader.places(of: headers, "headers")
        return headers.map(\.header)
    }

    private func content(_ map: inout MapReader, _ reach: Reach) -> CallSettings.Content {
        let form = names.fields(&map, "form", reach: reach)
        let json = map.value("json", JSONTemplateReader(names: names, reach: reach).format)
        if map.has("form"), let place = map.place(of: "json") {
            reading.report(
                place,
                """
                a call has one content: there is "form" and "json"; keep one of them (write ~ for one of a \
                description's)
                """)
        }
        if let json { return .json(json.value) }
        return map.has("form") ? .form(form) : .none
    }

    private func basic(_ map: inout MapReader, _ reach: Reach) -> CallSettings.Basic? {
        var basic: CallSettings.Basic?
        map.map("basic") { map in
            let format = names.format(for: .field, reach: reach)
            let user = map.value("user", format)
            let password = map.value("password", format)
            if let password {
                names.checkLiteral(password.value, named: "password", at: password.position)
            }
            if let user, let password {
                basic = CallSettings.Basic(user: user.value, password: password.value)
            } else if let place = map.place, !map.has("user") || !map.has("password") {
                reading.report(place, "\"basic\" needs a \"user\" and a \"password\"; give both")
            }
        }
        return basic
    }

    private func check(_ call: CallSettings, _ map: MapReader) {
        if call.method == "GET", call.content != .none, let place = map.place(of: "get") {
            reading.report(place, "a GET has no content; write its fields under \"query\", or make it a post")
        }
        let hasAuthorization = call.headers.contains { HeaderName.folded($0.name) == "authorization" }
        if call.basic != nil, hasAuthorization, let place = map.place(of: "basic") {
            reading.report(
                place,
                "\"basic\" makes the header Authorization, which \"headers\" sets too; keep one of them")
        }
    }
}
