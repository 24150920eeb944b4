/// How long what the sandbox issues is accepted, in seconds. The defaults are the documents'.
package struct Lifetimes: Sendable {
    package var piaxisAccess: Int64 = 3_600
    package var piaxisRefresh: Int64 = 30 * 86_400
    package var piaxisAuthorizationCode: Int64 = 600
    package var piaxisOTP: Int64 = 300
    package var piaxisVerification: Int64 = 600

    /// What `expires_in` says, and when the token really dies.
    package var tezpayAccess: Int64 = 43_200
    /// What the token itself says with `exp - iat`: wrong, as in TezPay's own sample.
    package var tezpayClaimed: Int64 = 86_400

    package var jpayAccess: Int64 = 900
    package var jpayRefresh: Int64 = 7 * 86_400

    package var acmeAccess: Int64 = 3_599
    package var acmeRefresh: Int64 = 86_400
    package var acmeAuthorizationCode: Int64 = 60

    package init() {}
}

/// Piaxis' limits, per hour and category.
package struct PiaxisLimits: Sendable {
    package var authentication = 100
    package var paymentCreation = 1_000
    package var escrow = 500
    package var retrieval = 5_000

    package init() {}

    /// For benchmarks: limits that nobody reaches.
    package static var unreachable: PiaxisLimits {
        var limits = PiaxisLimits()
        limits.authentication = Int(Int32.max)
        limits.paymentCreation = Int(Int32.max)
        limits.escrow = Int(Int32.max)
        limits.retrieval = Int(Int32.max)
        return limits
    }
}
