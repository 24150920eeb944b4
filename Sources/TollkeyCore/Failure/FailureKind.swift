/// Every answer that this proxy makes itself. A new kind does not compile without its row.
package enum FailureKind: String, Sendable, CaseIterable {
    case badRequest = "bad-request"
    case forbiddenHost = "forbidden-host"
    case forbiddenOrigin = "forbidden-origin"
    case forbiddenPeer = "forbidden-peer"
    case noRoute = "no-route"
    case notAllowed = "not-allowed"
    case bodyTooLarge = "body-too-large"
    case headTooLarge = "head-too-large"
    case uriTooLong = "uri-too-long"
    case requestTimeout = "request-timeout"
    case draining
    case upstreamUnreachable = "upstream-unreachable"
    case upstreamTLS = "upstream-tls"
    case upstreamBroke = "upstream-broke"
    case upstreamTimeout = "upstream-timeout"
    case loop
    case overloaded
    case credentialUnavailable = "credential-unavailable"
    case loginRequired = "login-required"
    case otpRequired = "otp-required"
    case rateLimited = "rate-limited"
    case quotaPaused = "quota-paused"

    /// Whose doing it is.
    package enum Side: String, Sendable { case client, proxy, upstream }

    package struct Row: Sendable {
        package let status: Int
        /// RFC 9457 `title`: the same for every occurrence.
        package let title: StaticString
        package let side: Side
    }

    package var row: Row {
        switch self {
        case .badRequest: Row(status: 400, title: "The request is not valid HTTP/1.1", side: .client)
        case .forbiddenHost: Row(status: 403, title: "The Host is not a name of this proxy", side: .client)
        case .forbiddenOrigin:
            Row(status: 403, title: "Pages of other origins may not call here", side: .client)
        case .forbiddenPeer: Row(status: 403, title: "This caller may not use the provider", side: .client)
        case .noRoute: Row(status: 404, title: "No provider has this path", side: .client)
        case .notAllowed: Row(status: 403, title: "This call is not allowed", side: .client)
        case .bodyTooLarge: Row(status: 413, title: "The content is too large", side: .client)
        case .headTooLarge: Row(status: 431, title: "The head is too large", side: .client)
        case .uriTooLong: Row(status: 414, title: "The request target is too long", side: .client)
        case .requestTimeout: Row(status: 408, title: "The request took too long to arrive", side: .client)
        case .draining: Row(status: 503, title: "The proxy is shutting down", side: .proxy)
        case .upstreamUnreachable:
            Row(status: 502, title: "The provider cannot be reached", side: .upstream)
        case .upstreamTLS:
            Row(status: 502, title: "The provider's identity could not be verified", side: .upstream)
        case .upstreamBroke:
            Row(status: 502, title: "The provider broke off or answered nonsense", side: .upstream)
        case .upstreamTimeout: Row(status: 504, title: "The provider did not answer in time", side: .upstream)
        case .loop: Row(status: 508, title: "The request came back to this proxy", side: .proxy)
        case .overloaded: Row(status: 503, title: "Too many calls at once", side: .proxy)
        case .credentialUnavailable:
            Row(status: 503, title: "No credential that the provider would take can be had", side: .upstream)
        case .loginRequired:
            Row(status: 503, title: "A person must log in to the provider", side: .proxy)
        case .otpRequired:
            Row(status: 403, title: "The operation needs a one-time password", side: .client)
        case .rateLimited: Row(status: 429, title: "The limit is reached", side: .proxy)
        case .quotaPaused: Row(status: 429, title: "Calls are paused", side: .upstream)
        }
    }
}

/// One failed exchange: what happened, in words, and whether the provider may have acted on it.
package struct Failure: Error, Sendable, Equatable {
    package var kind: FailureKind
    /// For a person; never holds a secret, a query or content.
    package var detail: String
    /// Some of the request had been sent; nil where that is not the question. `Exchange` says it.
    package var mayHaveBeenProcessed: Bool?
    /// Seconds.
    package var retryAfter: Int?
    /// It is not the side's of its kind, but this proxy's: its configuration, or its ledger.
    package var isOurs = false
    /// Whose limit it is about.
    package var category: String?
    package var quota: QuotaNotice?

    package var side: FailureKind.Side { isOurs ? .proxy : kind.row.side }

    package init(_ kind: FailureKind, _ detail: String, retryAfter: Int? = nil) {
        self.kind = kind
        self.detail = detail
        self.retryAfter = retryAfter
    }

    package init(_ error: HeadError) {
        switch error {
        case .malformed(let text):
            self.init(.badRequest, "The request cannot be read in one way only: \(text).")
        case .headTooLarge: self.init(.headTooLarge, "The request's head has too many fields or bytes.")
        case .targetTooLong: self.init(.uriTooLong, "The request target has too many bytes.")
        case .contentTooLarge:
            self.init(.bodyTooLarge, "The request's content is larger than the provider's 'body.max' allows.")
        }
    }
}
