import COpenSSL
import TollkeyCore

/// Seals contents so that they can be opened with the same key and for the same purpose only: AES-256-GCM.
///
/// A sealed content is the format (1 byte), the nonce (12), the enciphered content and the tag (16). Nonces are random:
/// safe for 2³² seals under one key (NIST SP 800-38D §8.3), which is one a second for 136 years.
struct Sealer: Sendable {
    private let key: Secret

    static let overhead = 1 + nonceCount + tagCount
    private static let format: UInt8 = 1
    private static let nonceCount = 12
    private static let tagCount = 16

    /// Derives its key from `stateKey`, which may be of any length and is for nothing else.
    init(stateKey: Secret) throws(StateFailure) {
        key = try Self.derived(from: stateKey, for: "sealing records, AES-256-GCM")
    }

    init(key: Secret) { self.key = key }

    /// Another key for each `use`: 32 bytes.
    static func derived(from stateKey: Secret, for use: String) throws(StateFailure) -> Secret {
        let derived = stateKey.reveal {
            KeyedHash.hkdf(key: $0, salt: Array("tollkey state".utf8), info: Array(use.utf8))
        }
        guard let derived else { throw outOfMemory }
        return Secret(derived)
    }

    static let outOfMemory = StateFailure(.system, "OpenSSL has no memory or no randomness left")

    static func random(_ count: Int) throws(StateFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw outOfMemory }
        return bytes
    }

    /// Whoever opens it must say the same `purpose`.
    func seal(_ content: Secret, for purpose: [UInt8]) throws(StateFailure) -> [UInt8] {
        let nonce = try Self.random(Self.nonceCount)
        let sealed = key.reveal { key in content.reveal { Self.encipher($0, key, nonce, purpose) } }
        guard let sealed else { throw Self.outOfMemory }
        return sealed
    }

    /// nil when it was sealed with another key or for another purpose, or has been altered.
    func open(_ sealed: [UInt8], for purpose: [UInt8]) -> Secret? {
        guard sealed.count >= Self.overhead, sealed[0] == Self.format else { return nil }
        return key.reveal { Self.decipher(sealed, $0, purpose) }.map { Secret($0) }
    }

    private static func encipher(
        _ content: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ purpose: [UInt8]
    ) -> [UInt8]? {
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        var ciphered = [UInt8](repeating: 0, count: content.count)
        var tag = [UInt8](repeating: 0, count: tagCount)
        var count: Int32 = 0
        guard EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(cipher, nil, &count, [format], 1) == 1,
            EVP_EncryptUpdate(cipher, nil, &count, purpose, Int32(purpose.count)) == 1,
            EVP_EncryptUpdate(cipher, &ciphered, &count, content, Int32(content.count)) == 1,
            EVP_EncryptFinal_ex(cipher, nil, &count) == 1,
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), &tag) == 1
        else { return nil }
        return [format] + nonce + ciphered + tag
    }

    private static func decipher(_ sealed: [UInt8], _ key: [UInt8], _ purpose: [UInt8]) -> [UInt8]? {
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        let nonce = Array(sealed[1..<1 + nonceCount])
        let ciphered = Array(sealed[(1 + nonceCount)..<(sealed.count - tagCount)])
        var tag = Array(sealed.suffix(tagCount))
        var content = [UInt8](repeating: 0, count: ciphered.count)
        var count: Int32 = 0
        guard EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(cipher, nil, &count, [format], 1) == 1,
            EVP_DecryptUpdate(cipher, nil, &count, purpose, Int32(purpose.count)) == 1,
            EVP_DecryptUpdate(cipher, &content, &count, ciphered, Int32(ciphered.count)) == 1,
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag) == 1,
            EVP_DecryptFinal_ex(cipher, nil, &count) == 1
        else { return nil }
        return content
    }
}
