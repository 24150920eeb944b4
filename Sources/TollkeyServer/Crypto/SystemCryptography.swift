import COpenSSL
package import TollkeyCore

/// Digests, signatures and chance, from the system's libcrypto.
package struct SystemCryptography: Sendable {
    private let keys = RSAKeys()

    package init() {}

    /// Empty when libcrypto's configuration forbids the digest, as one for FIPS forbids MD5.
    package func hash(_ digest: Digest, _ bytes: [UInt8]) -> [UInt8] {
        Self.output { out, count in
            EVP_Q_digest(nil, digest.name, nil, bytes, bytes.count, out, &count) == 1
        }
    }

    /// RFC 2104. Empty when libcrypto's configuration forbids the digest.
    package func hmac(_ digest: Digest, key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        // Without bytes an array may have no address, and libcrypto takes no address for no key at all.
        let key = key.isEmpty ? [0] : key
        return Self.output { out, count in
            EVP_Q_mac(
                nil, "HMAC", nil, digest.name, nil, key, key.count, bytes, bytes.count, out, outputMax, &count
            )
                != nil
        }
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2) with a private key in PEM; nil when that is no RSA key, needs a password, or
    /// is too small for the digest.
    package func rsaSignature(_ digest: Digest, key: [UInt8], _ bytes: [UInt8]) -> [UInt8]? {
        keys.key(pem: key, named: hash(.sha256, key))?.signature(digest, bytes)
    }

    /// For secrets too.
    package func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        if RAND_bytes(&bytes, Int32(clamping: bytes.count)) != 1 {
            ERR_clear_error()
            // The kernel's, by way of Swift.
            for index in bytes.indices { bytes[index] = .random(in: 0...255) }
        }
        return bytes
    }

    /// Whether the two are the same, in a time that depends on their lengths only.
    package func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }

    private static func output(
        _ body: (UnsafeMutablePointer<UInt8>?, inout Int) -> Bool
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: outputMax) { out, count in
            count = outputMax
            if !body(out.baseAddress, &count) {
                ERR_clear_error()
                count = 0
            }
        }
    }
}

/// Bytes of the longest digest.
private let outputMax = Int(EVP_MAX_MD_SIZE)

extension Digest {
    /// libcrypto's name for it.
    var name: String {
        switch self {
        case .md5: "MD5"
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha384: "SHA384"
        case .sha512: "SHA512"
        }
    }
}
