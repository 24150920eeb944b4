import Synchronization
import TollkeyCore

/// Digests that show what they are of: `sha256(text)`, `sha256[key](text)`. Chance counts upwards from 1.
final class FakeCryptography: Cryptography {
    private let drawn = Mutex<UInt8>(0)
    let isOutOfChance: Bool

    init(isOutOfChance: Bool = false) { self.isOutOfChance = isOutOfChance }

    func hash(_ digest: Digest, _ content: [UInt8]) -> [UInt8] { bytes("\(digest)(") + content + bytes(")") }

    func hmac(_ digest: Digest, key: [UInt8], _ content: [UInt8]) -> [UInt8] {
        bytes("\(digest)[") + key + bytes("](") + content + bytes(")")
    }

    func rsaSignature(_ digest: Digest, key: [UInt8], _ content: [UInt8]) -> [UInt8]? {
        text(key).hasPrefix("PEM") ? bytes("rsa-") + hmac(digest, key: key, content) : nil
    }

    func random(_ count: Int) -> [UInt8] {
        if isOutOfChance { return [] }
        let byte = drawn.withLock { drawn in
            drawn &+= 1
            return drawn
        }
        return Array(repeating: byte, count: count)
    }
}

/// What base64url stands for, padded or not; empty for what is none.
func decoded(base64url text: some StringProtocol) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var bits: UInt32 = 0
    var held = 0
    var bytes: [UInt8] = []
    for letter in text {
        guard let value = alphabet.firstIndex(of: letter) else { return "" }
        bits = bits << 6 | UInt32(value)
        held += 6
        if held >= 8 {
            held -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A template in the notation of the tests: `${secret.x}`, `${credential.x}`, `${value.x}`, `${input.x}`,
/// `${request.x}` with `x` a part, `field.a` or `header.a`.
func template(_ notation: String) -> Template {
    var parts: Template = []
    var rest = notation[...]
    while let start = rest.range(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
        if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
        let words = rest[start.upperBound..<end].split(separator: ".", maxSplits: 1)
        parts.append(part(String(words[0]), words.count > 1 ? String(words[1]) : ""))
        rest = rest[rest.index(after: end)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    return parts
}

private func part(_ kind: String, _ name: String) -> TemplatePart {
    switch kind {
    case "secret": return .secret(name)
    case "credential": return .credential(name)
    case "value": return .value(name)
    case "input": return .input(name)
    default: break
    }
    let parts: [String: RequestPart] = [
        "method": .method, "path": .path, "query": .query, "target": .target, "url": .url, "host": .host,
        "body": .body,
    ]
    if let part = parts[name] { return .request(part) }
    let words = name.split(separator: ".").map(String.init)
    if words.first == "field" { return .request(.field(words.dropFirst().map { .member($0) })) }
    return .request(.header(words.last ?? ""))
}

extension String.SubSequence {
    fileprivate func range(of text: String) -> Range<Index>? { ranges(of: text).first }
}

extension Secret {
    var shown: String { reveal { text($0) } }
}
