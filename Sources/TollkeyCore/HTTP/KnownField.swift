/// The field names that a proxy must understand; all others pass by unread.
package enum KnownField: UInt8, Sendable {
    case other
    case host, contentLength, transferEncoding, connection, expect
    case te, upgrade, keepAlive, proxy
    case authorization, cookie, forwarded
    /// Asks the server to take the call for one with another method or path, past what was judged here.
    case override
    case via, origin, secFetchSite, idempotencyKey
    case location, problem
    /// One of the above with `_` for `-`: some servers take the two for one name. Never forwarded, never believed.
    case imitation

    /// Fields of one connection, never forwarded in either direction (RFC 9110 §7.6.1).
    package var isHopByHop: Bool {
        switch self {
        case .connection, .te, .upgrade, .keepAlive, .proxy, .transferEncoding, .imitation: true
        case .other, .host, .contentLength, .expect, .authorization, .cookie, .forwarded, .override, .via,
            .origin, .secFetchSite, .idempotencyKey, .location, .problem:
            false
        }
    }

    /// Fields that may stand in a head only, not behind the content (RFC 9110 §6.5.1).
    package var isForbiddenInTrailers: Bool {
        switch self {
        case .other, .via, .idempotencyKey: false
        case .host, .contentLength, .transferEncoding, .connection, .expect, .te, .upgrade, .keepAlive,
            .proxy, .authorization, .cookie, .forwarded, .override, .origin, .secFetchSite, .location,
            .problem, .imitation:
            true
        }
    }

    package init(_ name: Span<UInt8>) {
        self = Self.recognise(name)
        guard self != .other else { return }
        for i in name.indices where name[i] == UInt8(ascii: "_") { self = .imitation }
    }

    private static func recognise(_ name: Span<UInt8>) -> KnownField {
        switch name.count {
        case 2: if name.isName("te") { return .te }
        case 3: if name.isName("via") { return .via }
        case 4: if name.isName("host") { return .host }
        case 6:
            if name.isName("expect") { return .expect }
            if name.isName("cookie") { return .cookie }
            if name.isName("origin") { return .origin }
        case 7: if name.isName("upgrade") { return .upgrade }
        case 8: if name.isName("location") { return .location }
        case 9:
            if name.isName("forwarded") { return .forwarded }
            if name.isName("x-real-ip") { return .forwarded }
        case 10:
            if name.isName("connection") { return .connection }
            if name.isName("keep-alive") { return .keepAlive }
        case 13:
            if name.isName("authorization") { return .authorization }
            if name.isName("x-http-method") || name.isName("x-rewrite-url") { return .override }
        case 14:
            if name.isName("content-length") { return .contentLength }
            if name.isName("sec-fetch-site") { return .secFetchSite }
            if name.isName("x-original-url") { return .override }
            if name.isName("http2-settings") { return .upgrade }
        case 15:
            if name.isName("idempotency-key") { return .idempotencyKey }
            if name.isName("tollkey-problem") { return .problem }
        case 17:
            if name.isName("transfer-encoding") { return .transferEncoding }
            if name.isName("x-method-override") { return .override }
        case 22: if name.isName("x-http-method-override") { return .override }
        default: break
        }
        if name.count > 6, name.beginsWithName("proxy-") { return .proxy }
        if name.count > 12, name.beginsWithName("x-forwarded-") { return .forwarded }
        return .other
    }
}

extension Span<UInt8> {
    /// Whether this field name is `lowercase`, with regard neither to case nor to `_` for `-`.
    package func isName(_ lowercase: StaticString) -> Bool {
        count == lowercase.utf8CodeUnitCount && isNamePrefix(lowercase)
    }

    /// As `isName`, of a name's beginning.
    @inline(__always)
    func beginsWithName(_ lowercase: StaticString) -> Bool {
        // Most names differ in their first letter.
        count >= lowercase.utf8CodeUnitCount && self[0].inName == lowercase.utf8Start[0]
            && isNamePrefix(lowercase)
    }

    private func isNamePrefix(_ lowercase: StaticString) -> Bool {
        for i in 0..<lowercase.utf8CodeUnitCount where self[i].inName != lowercase.utf8Start[i] {
            return false
        }
        return true
    }

    package func isName(_ lowercase: [UInt8]) -> Bool {
        guard count == lowercase.count else { return false }
        for i in indices where self[i].inName != lowercase[i] { return false }
        return true
    }
}

extension UInt8 {
    @inline(__always)
    var inName: UInt8 { self == UInt8(ascii: "_") ? UInt8(ascii: "-") : Characters.lowercased(self) }
}
