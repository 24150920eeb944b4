import COpenSSL

/// SHA-256, keyed and not. nil only when OpenSSL has no memory.
package enum KeyedHash {
    package static let count = 32

    /// RFC 2104 over SHA-256.
    package static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8]? {
        var hash = [UInt8](repeating: 0, count: count)
        var written = 0
        let made = EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &hash, hash.count,
            &written)
        return made != nil && written == count ? hash : nil
    }

    /// RFC 5869 over SHA-256, one block of output.
    package static func hkdf(key: [UInt8], salt: [UInt8], info: [UInt8]) -> [UInt8]? {
        guard let extracted = hmac(key: salt, key) else { return nil }
        return hmac(key: extracted, info + [1])
    }

    package static func sha256(_ message: [UInt8]) -> [UInt8]? {
        var hash = [UInt8](repeating: 0, count: count)
        var written: UInt32 = 0
        guard EVP_Digest(message, message.count, &hash, &written, EVP_sha256(), nil) == 1 else { return nil }
        return hash
    }
}
