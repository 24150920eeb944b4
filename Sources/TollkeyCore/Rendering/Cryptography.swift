/// What the computing of values takes from outside: digests, signatures and chance. The core imports no library.
package protocol Cryptography: Sendable {
    func hash(_ digest: Digest, _ bytes: [UInt8]) -> [UInt8]
    func hmac(_ digest: Digest, key: [UInt8], _ bytes: [UInt8]) -> [UInt8]
    /// RSA PKCS #1 v1.5 with a private key in PEM; nil when `key` is none.
    func rsaSignature(_ digest: Digest, key: [UInt8], _ bytes: [UInt8]) -> [UInt8]?
    /// Bytes that nobody can guess; fewer than `count` when none can be had.
    func random(_ count: Int) -> [UInt8]
}
