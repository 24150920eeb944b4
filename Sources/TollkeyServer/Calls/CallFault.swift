/// Why a call has no answer.
package struct CallFault: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// A name has no address.
        case resolve
        /// No connection, or none through the egress proxy.
        case connect
        /// Not the server that was meant, or not as safe as was asked.
        case tls
        /// Too slow at whatever the description says.
        case timeout
        /// The connection ended before the answer did, or what came was no HTTP.
        case broke
        /// The answer is beyond a bound.
        case tooLarge
        /// The client was closed.
        case cancelled
        /// Too many calls are waiting.
        case busy
        /// The call itself cannot be written as HTTP.
        case malformed
    }

    package let kind: Kind
    /// False: certainly nothing of the request has reached the provider, so what it would have spent is unspent.
    package let wasSent: Bool
    /// For people. Names hosts, ports and reasons; never a target, a header's value, or anything of an answer.
    package let description: String

    package init(_ kind: Kind, wasSent: Bool, _ description: String) {
        self.kind = kind
        self.wasSent = wasSent
        self.description = description
    }

    static let cancelled = CallFault(.cancelled, wasSent: false, "the call was cancelled before it was sent")
    static let busy = CallFault(.busy, wasSent: false, "too many calls are waiting already")
}
