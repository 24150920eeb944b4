/// A throw-away certificate authority: every run makes its own, and nothing outside the run trusts it.
package struct CertificateAuthority: Sendable {
    /// From when to when a certificate holds, in seconds relative to now.
    package struct Validity: Sendable {
        package let from: Int
        package let to: Int

        /// - Parameters:
        ///   - from: seconds after now, negative for the past
        ///   - to: seconds after now
        package init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }

        /// From an hour ago, so that a slightly slow clock agrees, until in thirty days.
        package static let ordinary = Validity(from: -3_600, to: 30 * 86_400)
        package static let expired = Validity(from: -2 * 86_400, to: -86_400)
        package static let notYetValid = Validity(from: 86_400, to: 2 * 86_400)
    }

    /// What the certificate is good for (RFC 5280 §4.2.1.12).
    package enum Usage: Sendable {
        case server
        case client
        /// For mail: a TLS peer must refuse it.
        case wrong

        var extendedKeyUsage: String {
            switch self {
            case .server: "serverAuth"
            case .client: "clientAuth"
            case .wrong: "emailProtection"
            }
        }
    }

    package enum Key: Sendable {
        case p256
        /// RSA with 1024 bits: below what OpenSSL's security level 1 and Debian's level 2 accept.
        case weakRSA
    }

    /// The certificate of this authority, PEM. For an intermediate one: its own, not the root's.
    package let pem: String
    let key: String
    /// What an issued chain shows behind its leaf.
    private let chainTail: String

    package init(commonName: String) throws(CertificateError) {
        let key = try PrivateKey(.p256)
        let certificate = try CertificateBuilder(subject: commonName, key: key)
        try certificate.setAuthority(pathLength: 1)
        try certificate.setValidity(.ordinary)
        pem = try certificate.signed(by: key, issuer: nil)
        self.key = try key.pem()
        chainTail = ""
    }

    private init(pem: String, key: String, chainTail: String) {
        self.pem = pem
        self.key = key
        self.chainTail = chainTail
    }

    /// An authority below this one. Without `inChain` its certificate is left out of the chains it issues,
    /// the commonest mistake of real servers, which a client must refuse unless it holds that certificate.
    package func intermediate(
        commonName: String, inChain: Bool = true
    ) throws(CertificateError) -> CertificateAuthority {
        let key = try PrivateKey(.p256)
        let certificate = try CertificateBuilder(subject: commonName, key: key)
        try certificate.setAuthority(pathLength: 0)
        try certificate.setValidity(.ordinary)
        let pem = try certificate.signed(by: PrivateKey(pem: self.key), issuer: self.pem)
        return CertificateAuthority(
            pem: pem, key: try key.pem(), chainTail: inChain ? pem + chainTail : "")
    }

    /// A leaf certificate with its key.
    /// - Parameter hosts: DNS names and IP literals (IPv6 without brackets) for the subject alternative names
    package func issue(
        hosts: [String], validity: Validity = .ordinary, usage: Usage = .server, key: Key = .p256
    ) throws(CertificateError) -> Identity {
        let leafKey = try PrivateKey(key)
        let certificate = try CertificateBuilder(subject: hosts.first ?? "nobody", key: leafKey)
        try certificate.setLeaf(hosts: hosts, usage: usage)
        try certificate.setValidity(validity)
        let leaf = try certificate.signed(by: PrivateKey(pem: self.key), issuer: pem)
        return Identity(chain: leaf + chainTail, key: try leafKey.pem())
    }
}
