/// A call that is about a credential rather than a payment. The provider's own word for it is its path.
package enum TokenCall: String, Sendable, CaseIterable {
    /// With an identifier and a secret.
    case login
    /// With a refresh token.
    case refresh
    /// With an authorization code.
    case exchange
    case otpRequest = "otp-request"
    case otpVerify = "otp-verify"
    case regenerate
    case validate
}
