import NIOHTTP1

/// What a played provider says to a call.
struct Answer {
    enum Body {
        /// The header section is all, Content-Length included where one is given (204, 304).
        case none
        case bytes([UInt8])
        /// So many bytes, made while they are sent.
        case filler(count: Int64, chunked: Bool)
    }

    var status: Int
    var headers = HTTPHeaders()
    var body = Body.none
    /// Sent after a chunked body.
    var trailers: HTTPHeaders?
    /// Whether a 103 (RFC 8297) goes ahead of it.
    var hasHints = false
    /// What the call did wrong.
    var findings: [Finding] = []
    /// The secrets that it hands out.
    var issued: [String] = []

    init(_ status: Int) {
        self.status = status
    }

    init(_ status: Int, _ json: JSON, headers: HTTPHeaders = [:]) {
        self.status = status
        self.headers = headers
        self.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        body = .bytes(json.bytes)
    }

    /// This answer to a call that did `kind` wrong.
    func finding(_ kind: Violation.Kind, _ detail: String) -> Answer {
        var answer = self
        answer.findings.append(Finding(kind, detail))
        return answer
    }

    /// This answer, which hands out `secrets`.
    func issuing(_ secrets: String...) -> Answer {
        var answer = self
        answer.issued += secrets
        return answer
    }

    mutating func add(_ name: String, _ value: String) {
        headers.add(name: name, value: value)
    }
}

/// What every provider can say no to; each says it in its own words.
enum Refusal {
    /// No credential, or a wrong one.
    case unauthorized
    /// A credential that was good once.
    case expired
    case badRequest(String)
    case notFound
    case rateLimited(retryAfter: Int64)
    case serverError
}
