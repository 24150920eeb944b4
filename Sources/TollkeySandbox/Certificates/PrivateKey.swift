import COpenSSL

/// A private key of libcrypto's.
struct PrivateKey: ~Copyable {
    private static let weakBits: Int32 = 1024

    let inner: CryptoPointer

    init(_ kind: CertificateAuthority.Key) throws(CertificateError) {
        let algorithm =
            switch kind {
            case .p256: "EC"
            case .weakRSA: "RSA"
            }
        let context = try CryptoPointer(
            EVP_PKEY_CTX_new_from_name(nil, algorithm, nil), from: "EVP_PKEY_CTX_new_from_name"
        ) { EVP_PKEY_CTX_free($0) }
        try CertificateError.check(EVP_PKEY_keygen_init(context.pointer), "EVP_PKEY_keygen_init")
        switch kind {
        case .p256:
            try CertificateError.check(
                EVP_PKEY_CTX_set_group_name(context.pointer, "P-256"), "EVP_PKEY_CTX_set_group_name")
        case .weakRSA:
            try CertificateError.check(
                EVP_PKEY_CTX_set_rsa_keygen_bits(context.pointer, Self.weakBits),
                "EVP_PKEY_CTX_set_rsa_keygen_bits")
        }
        var key: OpaquePointer?
        try CertificateError.check(EVP_PKEY_generate(context.pointer, &key), "EVP_PKEY_generate")
        inner = try CryptoPointer(key, from: "EVP_PKEY_generate") { EVP_PKEY_free($0) }
    }

    init(pem: String) throws(CertificateError) {
        let memory = try CryptoMemory(pem)
        inner = try CryptoPointer(
            PEM_read_bio_PrivateKey(memory.inner.pointer, nil, nil, nil), from: "PEM_read_bio_PrivateKey"
        ) { EVP_PKEY_free($0) }
    }

    func pem() throws(CertificateError) -> String {
        let memory = try CryptoMemory()
        try CertificateError.check(
            PEM_write_bio_PrivateKey(memory.inner.pointer, inner.pointer, nil, nil, 0, nil, nil),
            "PEM_write_bio_PrivateKey")
        return memory.text()
    }
}
