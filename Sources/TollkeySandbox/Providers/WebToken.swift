import COpenSSL

/// A JWT (RFC 7519) signed with HS256, as TezPay and JPay issue them.
enum WebToken {
    private static let key = Array("the sandbox signs with this and checks nothing with it".utf8)

    /// The sandbox looks its tokens up instead of verifying them, so the signature only has to look right.
    static func make(_ claims: JSON) -> String {
        let head: JSON = ["alg": "HS256", "typ": "JWT"]
        let signed = Encoding.base64URL(head.bytes) + "." + Encoding.base64URL(claims.bytes)
        var digest = [UInt8](repeating: 0, count: 32)
        var digestCount: UInt32 = 0
        let text = Array(signed.utf8)
        _ = HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, &digestCount)
        return signed + "." + Encoding.base64URL(digest)
    }
}
