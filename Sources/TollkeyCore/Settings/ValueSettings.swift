/// A value that is computed: once for each generation of the credentials or, where it depends on the request, the time
/// or chance, once for each request and again for a replay.
package struct ValueSettings: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// RFC 9562, version 4.
        case uuid
        /// So many random bytes.
        case random(Int, as: TextEncoding)
        case time(TimeFormat)
        case encoded(Template, as: TextEncoding)
        case hash(Digest, of: Template, as: TextEncoding)
        case hmac(Digest, key: Template, of: Template, as: TextEncoding)
        /// RSA PKCS #1 v1.5 with a private key in PEM.
        case rsa(Digest, key: Template, of: Template, as: TextEncoding)
        /// A compact JWS (RFC 7515) with HMAC over SHA-256.
        case jwt(key: Template, claims: [NamedTemplate])
    }

    package var name: String
    package var kind: Kind
    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

package enum Digest: String, Sendable, CaseIterable { case md5, sha1, sha256, sha384, sha512 }

package enum TextEncoding: String, Sendable, CaseIterable {
    case hex, base64
    /// RFC 4648 §5, without padding.
    case base64url
}

package enum TimeFormat: String, Sendable, CaseIterable {
    /// `2026-01-15T10:30:00Z`
    case rfc3339
    /// `Thu, 15 Jan 2026 10:30:00 GMT`
    case http
    /// Seconds since 1970.
    case unix
    case unixMilliseconds = "unix_ms"
}
