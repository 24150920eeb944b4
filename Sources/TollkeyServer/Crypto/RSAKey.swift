import COpenSSL
import Glibc
import Synchronization
import TollkeyCore

/// A private key of libcrypto's.
// SAFETY: after `init` nothing changes the key, and libcrypto guards by itself what signing with it caches there.
final class RSAKey: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Nil for anything but an RSA key that lies open.
    init?(pem: [UInt8]) {
        defer { ERR_clear_error() }
        guard let memory = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return nil }
        defer { BIO_free(memory) }
        // Without a function of ours libcrypto would ask for the password of an encrypted key at the terminal.
        guard let pointer = PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil) else {
            return nil
        }
        guard EVP_PKEY_get_base_id(pointer) == EVP_PKEY_RSA else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.pointer = pointer
    }

    deinit { EVP_PKEY_free(pointer) }

    func signature(_ digest: Digest, _ bytes: [UInt8]) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard let operation = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(operation) }
        guard EVP_DigestSignInit_ex(operation, nil, digest.name, nil, nil, pointer, nil) == 1 else {
            return nil
        }
        var count = Int(EVP_PKEY_get_size(pointer))
        var signature = [UInt8](repeating: 0, count: max(0, count))
        guard EVP_DigestSign(operation, &signature, &count, bytes, bytes.count) == 1 else { return nil }
        return Array(signature.prefix(count))
    }
}

/// Keys that were read lately: to read one takes longer than many a digest, and the same few sign all requests.
final class RSAKeys: Sendable {
    private let keys = Mutex<[[UInt8]: RSAKey]>([:])

    static let kept = 64

    /// `name` tells keys apart: a digest of `pem`, so that only libcrypto holds the key itself.
    func key(pem: [UInt8], named name: [UInt8]) -> RSAKey? {
        if let known = keys.withLock({ $0[name] }) { return known }
        guard !name.isEmpty, let key = RSAKey(pem: pem) else { return nil }
        keys.withLock { keys in
            if keys.count >= Self.kept { keys = [:] }
            keys[name] = key
        }
        return key
    }
}
