extension TemplateFiller {
    /// One value, made of what stands before `position`.
    mutating func compute(_ value: ValueSettings, at position: Int) throws(RenderingError) -> [UInt8] {
        switch value.kind {
        case .uuid: return Self.uuid(try chance(16))
        case .random(let count, let encoding): return encoding.encode(try chance(count))
        case .time(let format):
            guard let now else { throw .missing(value.name) }
            return Array(format.text(now).utf8)
        case .encoded(let template, let encoding):
            return encoding.encode(try bytes(of: template, before: position))
        case .hash(let digest, let template, let encoding):
            return encoding.encode(cryptography.hash(digest, try bytes(of: template, before: position)))
        case .hmac(let digest, let key, let template, let encoding):
            let key = try bytes(of: key, before: position)
            let text = try bytes(of: template, before: position)
            return encoding.encode(cryptography.hmac(digest, key: key, text))
        case .rsa(let digest, let key, let template, let encoding):
            let key = try bytes(of: key, before: position)
            let text = try bytes(of: template, before: position)
            guard let signature = cryptography.rsaSignature(digest, key: key, text) else {
                throw .unusableKey(value.name)
            }
            return encoding.encode(signature)
        case .jwt(let key, let claims): return try token(key, claims, before: position)
        }
    }

    private func chance(_ count: Int) throws(RenderingError) -> [UInt8] {
        let bytes = cryptography.random(count)
        guard bytes.count == count else { throw .noChance }
        return bytes
    }

    /// RFC 9562 §5.4, from 16 random bytes.
    private static func uuid(_ chance: [UInt8]) -> [UInt8] {
        var bytes = chance
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = TextEncoding.hex.encode(bytes)
        let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return Array(groups.joined(separator: [UInt8(ascii: "-")]))
    }

    /// A compact JWS (RFC 7515 §7.1) with HS256, the claims in their order.
    private mutating func token(
        _ key: Template, _ claims: [NamedTemplate], before position: Int
    ) throws(RenderingError) -> [UInt8] {
        var members: [UInt8] = []
        for claim in claims {
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            JSONText.append(Array(claim.name.utf8), to: &members)
            members.append(UInt8(ascii: ":"))
            let text = try bytes(of: claim.value, before: position)
            // RFC 7519 §2: the registered dates are numbers. All else is text.
            if Self.dates.contains(claim.name), text.first != UInt8(ascii: "0"), !text.isEmpty,
                text.allSatisfy({ Characters.isDigit($0) })
            {
                members += text
            } else {
                JSONText.append(text, to: &members)
            }
        }
        let payload = [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]
        let dot = [UInt8(ascii: ".")]
        let signed =
            TextEncoding.base64url.encode(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + dot
            + TextEncoding.base64url.encode(payload)
        let signature = cryptography.hmac(.sha256, key: try bytes(of: key, before: position), signed)
        return signed + dot + TextEncoding.base64url.encode(signature)
    }

    private static let dates: Set<String> = ["exp", "iat", "nbf"]
}

extension TimeFormat {
    /// `now` in milliseconds since 1970.
    package func text(_ now: Int64) -> String {
        switch self {
        case .rfc3339: Dates.rfc3339(now)
        case .http: Dates.http(now)
        case .unix: String(now / 1_000)
        case .unixMilliseconds: String(now)
        }
    }
}
