/// Something a correct proxy must never send.
package struct Violation: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
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
        /// A token that had died by the sandbox's clock when it came. One that was revoked is none.
        case expiredCredential = "expired-credential"
        /// A refresh token that was exchanged for another one before.
        case refreshSpentTwice = "refresh-spent-twice"
        /// An authorization code that was exchanged before (RFC 6749 §4.1.2).
        case codeSpentTwice = "code-spent-twice"
        /// What must be made anew for each request, and for each replay, came a second time.
        case nonceReused = "nonce-reused"
        /// Headers that belong together, of different issues.
        case mixedGenerations = "mixed-generations"
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
