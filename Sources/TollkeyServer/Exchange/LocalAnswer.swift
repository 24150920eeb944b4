import TollkeyCore

/// An answer that this proxy makes itself (RFC 9457), and nobody else.
struct LocalAnswer {
    private let failure: Failure
    private let content: String
    private let closes: Bool
    private let saysKeepAlive: Bool

    init(_ failure: Failure, provider: String?, requestID: String, closes: Bool, saysKeepAlive: Bool) {
        self.failure = failure
        self.closes = closes
        self.saysKeepAlive = saysKeepAlive
        content = ProblemDetails(failure, provider: provider, requestID: requestID).json
    }

    func write(into out: Buffer, withoutContent: Bool) {
        let row = failure.kind.row
        out.append("HTTP/1.1 \(row.status) \(Self.reason(row.status))\r\n")
        out.append("Content-Type: application/problem+json\r\n")
        out.append("Content-Length: \(content.utf8.count)\r\n")
        out.append("Cache-Control: no-store\r\n")
        out.append("Tollkey-Problem: \(failure.kind.rawValue)\r\n")
        if let seconds = failure.retryAfter { out.append("Retry-After: \(seconds)\r\n") }
        if let quota = failure.quota {
            out.append("X-RateLimit-Limit: \(quota.limit)\r\n")
            out.append("X-RateLimit-Remaining: 0\r\n")
            out.append("X-RateLimit-Reset: \(quota.reset)\r\n")
        }
        if closes {
            out.append("Connection: close\r\n")
        } else if saysKeepAlive {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
        if !withoutContent { out.append(content) }
    }

    /// RFC 9110 §15; only those that are in `FailureKind`'s table.
    static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 508: "Loop Detected"
        default: "Error"
        }
    }
}
