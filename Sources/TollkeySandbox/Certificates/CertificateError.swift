/// Why a certificate could not be made.
package enum CertificateError: Error, Equatable {
    /// A libcrypto function failed; `reason` is its own message.
    case library(function: String, reason: String)
    /// A subject alternative name that is neither a DNS name nor an IP literal.
    case unusableHost(String)
}
