import NIOHTTP1

/// A request as a played provider sees it: complete, its path counted from the provider's base path.
struct Call {
    let method: String
    /// Without the base path and the query; `/` at least.
    let path: String
    let query: [(name: String, value: String)]
    /// As they arrived: order and case.
    let headers: HTTPHeaders
    /// As it arrived, with base path and query.
    let target: String
    /// At most `Arrival.bodyBytesKept` of what came.
    let body: [UInt8]
    /// All that came.
    let bodyBytes: Int64

    init?(head: HTTPRequestHead, body: [UInt8], bodyBytes: Int64, basePath: String) {
        method = head.method.rawValue
        headers = head.headers
        target = head.uri
        self.body = body
        self.bodyBytes = bodyBytes
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts.first ?? "/"
        guard whole.hasPrefix(basePath + "/") else { return nil }
        path = String(whole.dropFirst(basePath.count))
        query = parts.count > 1 ? Encoding.form(parts[1]) : []
    }

    var json: JSON? { JSON(parsing: body) }

    /// Nil too when the content does not say that it is JSON, which token endpoints insist on.
    var declaredJSON: JSON? { mediaType == "application/json" ? json : nil }

    var isForm: Bool { mediaType == "application/x-www-form-urlencoded" }

    var host: String { headers.first(name: "host") ?? "localhost" }

    func header(_ name: String) -> String? { headers.first(name: name) }

    func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }

    func formValue(_ name: String) -> String? {
        Encoding.form(String(decoding: body, as: UTF8.self)).first { $0.name == name }?.value
    }

    private var mediaType: String? {
        header("content-type")?.prefix { $0 != ";" && $0 != " " }.lowercased()
    }

    /// The token of `Authorization: Bearer …`; nil for another scheme (compared without case, RFC 9110
    /// §11.1).
    var bearer: String? {
        guard let value = header("authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    /// The segments of the path, empty ones left out.
    var segments: [Substring] { path.split(separator: "/") }

    func matches(_ method: String, _ path: String) -> Bool { self.method == method && self.path == path }
}
