/// A header as it arrived, case kept.
package struct HeaderLine: Sendable, Equatable {
    package let name: String
    package let value: String
}

/// A request as a played provider received it. Holds credentials in clear: tests compare them; whatever is
/// shown to people is masked on the way.
package struct RecordedRequest: Sendable {
    package let provider: Provider
    /// The listener's. Acme has several.
    package let port: Int
    /// Counts every accepted connection of the sandbox from 1: equal numbers, same connection.
    package let connection: Int
    /// Whether the connection's TLS handshake resumed an earlier one.
    package let isResumed: Bool
    package let method: String
    package let target: String
    /// In the order of arrival.
    package let headers: [HeaderLine]
    package let trailers: [HeaderLine]
    package let bodyBytes: Int64
    /// The first `RecordedRequest.bodyPrefixBytesMax` bytes of the body.
    package let bodyPrefix: [UInt8]
    /// False when a fault answered, or the connection ended, before all of it was read.
    package let isComplete: Bool
    /// Nil for a call that is not about a credential.
    package let tokenCall: TokenCall?

    package static let bodyPrefixBytesMax = 4_096

    /// The values of a header, name compared without case.
    package func values(of name: String) -> [String] {
        let name = name.lowercased()
        return headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// One line for people: what came and what was said to it. No query, no credential.
package struct Exchange: Sendable {
    package let provider: Provider
    package let method: String
    package let path: String
    /// Nil when the sandbox answered nothing, or nothing that is HTTP.
    package let status: Int?
}
