/// What a token says of its own life (RFC 7519 §4.1), in milliseconds since 1970. Not verified: it is only ever used to
/// give a token up earlier.
package struct JWTClaims: Sendable, Equatable {
    /// `exp`
    package var expires: Int64?
    /// `iat`
    package var issued: Int64?
    /// `nbf`
    package var notBefore: Int64?

    /// Bytes of a token that is looked into.
    package static let bytesMax = 64 << 10

    /// Nil for a token that is no compact JWS (RFC 7515 §3.1) over a JSON object.
    package init?(_ token: Secret) {
        guard let claims = token.reveal(Self.payload) else { return nil }
        expires = Self.date("exp", claims)
        issued = Self.date("iat", claims)
        notBefore = Self.date("nbf", claims)
    }

    private static func payload(_ token: [UInt8]) -> JSONValue? {
        guard token.count <= bytesMax else { return nil }
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let bytes = Base64URL.decode(parts[1]),
            let payload = try? JSONValue(bytes), case .object = payload
        else { return nil }
        return payload
    }

    /// A NumericDate; some libraries write milliseconds.
    private static func date(_ name: String, _ claims: JSONValue) -> Int64? {
        guard case .number(let number) = claims.value(at: [.member(name)]) else { return nil }
        return Dates.milliseconds(since1970: number)
    }
}
