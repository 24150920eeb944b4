/// JWTs (RFC 7519) signed with HS256.
enum WebToken {
    private static let ownKey = Array("the sandbox signs with this and checks nothing with it".utf8)

    /// As TezPay and JPay issue them. The sandbox looks its own tokens up instead of verifying them, so the
    /// signature only has to look right.
    static func make(_ claims: JSON) -> String {
        let head: JSON = ["alg": "HS256", "typ": "JWT"]
        let signed = Encoding.base64URL(head.bytes) + "." + Encoding.base64URL(claims.bytes)
        return signed + "." + Encoding.base64URL(Hash.hmac(Array(signed.utf8), key: ownKey))
    }

    /// What somebody else's token says; nil when it is none, says another algorithm, or was not signed with `key`.
    static func claims(of token: String, key: [UInt8]) -> JSON? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Encoding.base64URLDecoded(parts[0]),
            let claims = Encoding.base64URLDecoded(parts[1]),
            JSON(parsing: head)?["alg"]?.string == "HS256"
        else { return nil }
        let signature = Hash.hmac(Array("\(parts[0]).\(parts[1])".utf8), key: key)
        // Nobody measures how long the sandbox compares.
        guard parts[2] == Encoding.base64URL(signature) else { return nil }
        return JSON(parsing: claims)
    }
}
