import COpenSSL

/// One X.509 certificate on its way: subject and key, then extensions and dates, then the signature.
struct CertificateBuilder: ~Copyable {
    /// `X509_set_version` counts from zero: 2 is version 3, which extensions need (RFC 5280 §4.1.2.1).
    private static let version3 = 2
    /// `MBSTRING_UTF8`, a macro that is not imported.
    private static let utf8: Int32 = 0x1000

    private let certificate: CryptoPointer

    init(subject: String, key: borrowing PrivateKey) throws(CertificateError) {
        let made = try CryptoPointer(X509_new(), from: "X509_new") { X509_free($0) }
        try CertificateError.check(X509_set_version(made.pointer, Self.version3), "X509_set_version")
        // Never zero, at most 63 bits: positive in DER (RFC 5280 §4.1.2.2).
        let serial = UInt64.random(in: 1...UInt64(Int64.max))
        try CertificateError.check(
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.pointer), serial),
            "ASN1_INTEGER_set_uint64")
        try CertificateError.check(
            X509_set_pubkey(made.pointer, key.inner.pointer), "X509_set_pubkey")
        let name = Array(subject.utf8)
        try CertificateError.check(
            X509_NAME_add_entry_by_txt(
                X509_get_subject_name(made.pointer), "CN", Self.utf8, name, Int32(name.count), -1, 0),
            "X509_NAME_add_entry_by_txt")
        certificate = made
    }

    func setAuthority(pathLength: Int) throws(CertificateError) {
        try add(NID_basic_constraints, "critical,CA:TRUE,pathlen:\(pathLength)")
        try add(NID_key_usage, "critical,keyCertSign,cRLSign")
    }

    func setLeaf(hosts: [String], usage: CertificateAuthority.Usage) throws(CertificateError) {
        try add(NID_basic_constraints, "critical,CA:FALSE")
        try add(NID_key_usage, "critical,digitalSignature")
        try add(NID_ext_key_usage, usage.extendedKeyUsage)
        var names: [String] = []
        for host in hosts { names.append(try Self.alternativeName(host)) }
        if !names.isEmpty { try add(NID_subject_alt_name, names.joined(separator: ",")) }
    }

    func setValidity(_ validity: CertificateAuthority.Validity) throws(CertificateError) {
        guard X509_gmtime_adj(X509_getm_notBefore(certificate.pointer), validity.from) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate.pointer), validity.to) != nil
        else { throw .last("X509_gmtime_adj") }
    }

    /// Signs, and answers the PEM.
    /// - Parameter issuer: the authority's certificate, PEM; nil for one that signs itself
    func signed(by key: borrowing PrivateKey, issuer: String?) throws(CertificateError) -> String {
        if let issuer {
            let memory = try CryptoMemory(issuer)
            let authority = try CryptoPointer(
                PEM_read_bio_X509(memory.inner.pointer, nil, nil, nil), from: "PEM_read_bio_X509"
            ) { X509_free($0) }
            try finish(key: key, issuer: authority.pointer)
        } else {
            try finish(key: key, issuer: certificate.pointer)
        }
        let memory = try CryptoMemory()
        try CertificateError.check(
            PEM_write_bio_X509(memory.inner.pointer, certificate.pointer), "PEM_write_bio_X509")
        return memory.text()
    }

    private func finish(key: borrowing PrivateKey, issuer: OpaquePointer) throws(CertificateError) {
        try CertificateError.check(
            X509_set_issuer_name(certificate.pointer, X509_get_subject_name(issuer)), "X509_set_issuer_name")
        try add(NID_subject_key_identifier, "hash", issuer: issuer)
        // A certificate that signs itself names no other key (RFC 5280 §4.2.1.1).
        if issuer != certificate.pointer { try add(NID_authority_key_identifier, "keyid", issuer: issuer) }
        try CertificateError.check(
            X509_sign(certificate.pointer, key.inner.pointer, EVP_sha256()), "X509_sign")
    }

    private func add(
        _ kind: Int32, _ value: String, issuer: OpaquePointer? = nil
    ) throws(CertificateError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer ?? certificate.pointer, certificate.pointer, nil, nil, 0)
        let made = try CryptoPointer(
            X509V3_EXT_conf_nid(nil, &context, kind, value), from: "X509V3_EXT_conf_nid"
        ) { X509_EXTENSION_free($0) }
        try CertificateError.check(X509_add_ext(certificate.pointer, made.pointer, -1), "X509_add_ext")
    }

    /// `DNS:…` or `IP:…`. The value goes into libcrypto's little configuration language, where a comma would
    /// begin another name, so the characters are checked first.
    private static func alternativeName(_ host: String) throws(CertificateError) -> String {
        let isIPv6 = host.contains(":")
        let isIPv4 = host.allSatisfy { $0.isWholeNumber || $0 == "." }
        guard !host.isEmpty,
            host.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                    UInt8(ascii: "*"), UInt8(ascii: "_"):
                    true
                case UInt8(ascii: ":"): isIPv6
                default: false
                }
            })
        else { throw .unusableHost(host) }
        return (isIPv6 || isIPv4 ? "IP:" : "DNS:") + host
    }
}
