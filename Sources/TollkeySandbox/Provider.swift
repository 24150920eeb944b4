/// The payment systems that the sandbox plays: the five whose descriptions ship, and an invented sixth for what
/// they have not.
package enum Provider: String, CaseIterable, Sendable {
    case piaxis
    case tezpay
    case pixlpay
    case tuku
    case jpay
    /// OAuth client credentials and codes, Basic, a key in the query, signatures, certificates of clients.
    case acme

    /// Those with a description of their own in the product.
    package static let shipped: [Provider] = [.piaxis, .tezpay, .pixlpay, .tuku, .jpay]

    /// What stands between the host and the documented paths, as in each provider's own base URL.
    package var basePath: String {
        switch self {
        case .piaxis, .tezpay, .tuku: ""
        case .pixlpay: "/api/external/v1"
        case .jpay: "/api/v1"
        case .acme: "/v2"
        }
    }

    /// The name in its certificate besides the loopback ones.
    package var host: String { "\(rawValue).sandbox.test" }
}

/// The four listeners whose certificate a careful client refuses. Behind each of them stands Piaxis.
package enum WrongCertificate: String, CaseIterable, Sendable {
    case expired
    case notYetValid = "not-yet-valid"
    case wrongHost = "wrong-host"
    case unknownAuthority = "unknown-authority"
}
