/// One exchange that is over, as it is counted and logged.
package struct CallRecord: Sendable, Equatable {
    /// Who made the answer that the client has.
    package enum Source: String, Sendable, CaseIterable {
        /// The provider's was relayed.
        case provider
        /// It was made here.
        case tollkey
        /// The client went away before there was one.
        case client
    }

    package var source = Source.provider
    /// 499 when the client went away before there was an answer.
    package var status = 0
    /// What went wrong, when it was answered here or cut short.
    package var failure: Failure?
    /// The answer was cut short, or the client went away in the middle of it.
    package var isCut = false
    /// From the head to the answer's last byte.
    package var span = TimeSpan(nanoseconds: 0)
    /// From sending to the answer's head; nil without one.
    package var upstreamSpan: TimeSpan?
    /// In line for a permit, when it stood there.
    package var waitSpan: TimeSpan?
    /// Connections that the request was sent over.
    package var attempts = 0
    /// Of the credential that it went with; 0 when it was not sent.
    package var generation = 0
    /// The provider's own number for the request.
    package var requestID: String?
    /// Content, in bytes: of the request as it came, of the answer as it went.
    package var bytesIn = 0
    package var bytesOut = 0

    package init() {}

    /// Nginx's word for a client that did not wait for its answer.
    package static let clientGone = 499

    /// The provider's fault or ours: the client did what it should.
    package var isFailed: Bool {
        if let failure { return failure.kind.row.side != .client }
        return source == .provider && status >= 500
    }
}
