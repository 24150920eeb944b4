import COpenSSL

/// Digests, all of SHA-256.
enum Hash {
    private static let bytes = 32

    static func sha256(_ content: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: bytes)
        _ = EVP_Digest(content, content.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    /// HMAC (RFC 2104).
    static func hmac(_ content: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: bytes)
        _ = HMAC(EVP_sha256(), key, Int32(key.count), content, content.count, &digest, nil)
        return digest
    }
}
