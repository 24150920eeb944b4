/// Something a correct proxy must never send.
package struct Violation: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// A header about one hop only (RFC 9110 §7.6.1).
        case hopByHop = "hop-by-hop"
        /// Bytes that are no request, or one that two parsers could read differently.
        case malformed
        case host
        case noCredential = "no-credential"
        case credentialTwice = "credential-twice"
        /// A header that tells about the client: X-Forwarded-*, Forwarded, Cookie.
        case clientHeader = "client-header"
        /// A request over a connection whose certificate must not be believed.
        case untrustedCertificate = "untrusted-certificate"
    }

    package let provider: Provider
    package let connection: Int
    package let kind: Kind
    /// What exactly, without any value that could be a credential.
    package let detail: String

    package var description: String {
        "\(provider.rawValue), connection \(connection): \(kind.rawValue): \(detail)"
    }
}
