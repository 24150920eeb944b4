import COpenSSL

/// One libcrypto object and the function that frees it, freed exactly once.
struct CryptoPointer: ~Copyable {
    let pointer: OpaquePointer
    private let free: (OpaquePointer?) -> Void

    /// Takes what `function` answered, or says why there is nothing.
    init(
        _ pointer: OpaquePointer?, from function: String, free: @escaping (OpaquePointer?) -> Void
    ) throws(CertificateError) {
        guard let pointer else { throw .last(function) }
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }
}

extension CertificateError {
    private static let reasonBytesMax = 256

    /// What libcrypto noted last on this thread.
    static func last(_ function: String) -> CertificateError {
        let code = ERR_get_error()
        ERR_clear_error()
        var text = [CChar](repeating: 0, count: reasonBytesMax)
        ERR_error_string_n(code, &text, text.count)
        let reason = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return .library(function: function, reason: String(decoding: reason, as: UTF8.self))
    }

    /// libcrypto's convention: 1 or more is success.
    static func check(_ result: Int32, _ function: String) throws(CertificateError) {
        guard result > 0 else { throw last(function) }
    }
}

/// Memory that libcrypto writes PEM into and reads it from.
struct CryptoMemory: ~Copyable {
    let inner: CryptoPointer

    init(_ content: String = "") throws(CertificateError) {
        let made = try CryptoPointer(BIO_new(BIO_s_mem()), from: "BIO_new") { BIO_free($0) }
        if !content.isEmpty {
            let bytes = Array(content.utf8)
            try CertificateError.check(BIO_write(made.pointer, bytes, Int32(bytes.count)), "BIO_write")
        }
        inner = made
    }

    func text() -> String {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(inner.pointer))
        let count = BIO_read(inner.pointer, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(max(count, 0))), as: UTF8.self)
    }
}
