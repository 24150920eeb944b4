import COpenSSL
import Glibc
package import TollkeyCore

/// Whom to trust and who we are towards upstreams: an `SSL_CTX`, shared by the connections of all event loops.
// SAFETY: OpenSSL counts references to an SSL_CTX atomically, and after `init` nothing here changes it.
package final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Tells whether the files have changed since: what the system says of each.
    let fileMarks: [FileMark]

    struct FileMark: Sendable, Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        let changed: [Int]
    }

    /// A file that cannot be used: which, and why.
    package struct Unusable: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the files that `settings` names. At least TLS 1.2, keys as strong as OpenSSL's level 2 asks (112 bits).
    /// `protocols` are offered by ALPN (RFC 7301), none when there are none.
    package init(_ settings: TLSSettings, protocols: [String] = ["http/1.1"]) throws(Unusable) {
        guard let pointer = SSL_CTX_new(TLS_client_method()) else {
            throw Unusable(description: "OpenSSL has no memory for a context")
        }
        self.pointer = pointer
        fileMarks = [settings.ca, settings.certificate, settings.key].compactMap { $0.flatMap(Self.mark) }
        let least = settings.leastVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(least), nil)
        SSL_CTX_set_security_level(pointer, 2)
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        let mode =
            SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        SSL_CTX_ctrl(pointer, SSL_CTRL_MODE, Int(mode), nil)
        SSL_CTX_set_options(pointer, TOLLKEY_SSL_OPTIONS)
        let offer = protocols.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8) }
        if !offer.isEmpty { SSL_CTX_set_alpn_protos(pointer, offer, UInt32(offer.count)) }
        // Sessions are kept by each upstream, not by the context: they must not be mixed between hosts.
        let cacheMode = SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_MODE, Int(cacheMode), nil)
        SSL_CTX_sess_set_new_cb(pointer) { ssl, session in TLSStream.keepSession(ssl, session) }

        try trust(settings.ca)
        if let certificate = settings.certificate, let key = settings.key {
            ERR_clear_error()
            guard SSL_CTX_use_certificate_chain_file(pointer, certificate) == 1 else {
                throw Self.unusable("client certificate", certificate)
            }
            guard SSL_CTX_use_PrivateKey_file(pointer, key, SSL_FILETYPE_PEM) == 1,
                SSL_CTX_check_private_key(pointer) == 1
            else { throw Self.unusable("client key", key) }
        }
    }

    deinit { SSL_CTX_free(pointer) }

    private func trust(_ file: String?) throws(Unusable) {
        ERR_clear_error()
        if let file {
            guard SSL_CTX_load_verify_file(pointer, file) == 1 else { throw Self.unusable("CA file", file) }
            return
        }
        // The hashed directory is read one certificate at a time, when it is needed; the bundle as a whole, which
        // costs a megabyte and 20 ms. Where there is no such directory there is a bundle.
        if Self.hasHashedDirectory {
            SSL_CTX_set_default_verify_dir(pointer)
        } else {
            SSL_CTX_set_default_verify_paths(pointer)
        }
    }

    private static func mark(_ path: String) -> FileMark? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileMark(
            device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
            changed: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec])
    }

    private static let hasHashedDirectory: Bool = {
        if getenv("SSL_CERT_FILE") != nil { return false }
        let path =
            getenv("SSL_CERT_DIR").map { String(cString: $0) } ?? String(cString: X509_get_default_cert_dir())
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name.count == 10, name.suffix(2).elementsEqual(".0".utf8) { return true }
        }
        return false
    }()

    private static func unusable(_ what: String, _ path: String) -> Unusable {
        Unusable(
            description: "the \(what) \(path) cannot be used: \(TLSStream.errorText() ?? "no reason given")")
    }
}
