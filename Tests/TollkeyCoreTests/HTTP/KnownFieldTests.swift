import Testing
import TollkeyCore

struct KnownFieldTests {
    static let names: [(String, KnownField)] = [
        ("host", .host), ("content-length", .contentLength), ("transfer-encoding", .transferEncoding),
        ("connection", .connection), ("expect", .expect), ("te", .te), ("upgrade", .upgrade),
        ("keep-alive", .keepAlive), ("proxy-authorization", .proxy), ("proxy-connection", .proxy),
        ("proxy-x", .proxy), ("authorization", .authorization), ("cookie", .cookie),
        ("forwarded", .forwarded),
        ("x-forwarded-for", .forwarded), ("x-forwarded-proto", .forwarded), ("x-forwarded-x", .forwarded),
        ("via", .via), ("origin", .origin), ("sec-fetch-site", .secFetchSite),
        ("idempotency-key", .idempotencyKey), ("location", .location), ("tollkey-problem", .problem),
        ("x-real-ip", .forwarded), ("http2-settings", .upgrade), ("x-http-method", .override),
        ("x-http-method-override", .override), ("x-method-override", .override),
        ("x-original-url", .override), ("x-rewrite-url", .override), ("x-http-methods", .other),
        ("x", .other), ("hosts", .other), ("hos", .other), ("accept", .other), ("content-type", .other),
        ("x-content-length", .other), ("set-cookie", .other), ("proxy-", .other), ("proxy", .other),
        ("x-forwarded", .other), ("x-forwarded-", .other), ("xforwarded-for", .other),
        ("content_type", .other), ("x_api_key", .other), ("t_e", .other), ("_host", .other),
    ]

    @Test(arguments: names)
    func `a name is known under any case`(_ name: String, _ expected: KnownField) {
        #expect(KnownField(bytes(name).span) == expected)
        #expect(KnownField(bytes(name.uppercased()).span) == expected)
        #expect(KnownField(bytes(name.prefix(1).uppercased() + name.dropFirst()).span) == expected)
    }

    @Test(arguments: names.filter { $0.0.contains("-") && $0.1 != .other })
    func `a known name with an underscore for any of its hyphens is an imitation`(
        _ name: String, _: KnownField
    ) {
        let all = bytes(name)
        for hyphen in all.indices where all[hyphen] == UInt8(ascii: "-") {
            var imitation = all
            imitation[hyphen] = UInt8(ascii: "_")
            #expect(KnownField(imitation.span) == .imitation)
        }
        #expect(KnownField(bytes(name.replacing("-", with: "_").uppercased()).span) == .imitation)
    }

    @Test func `an underscore elsewhere in a known prefix is an imitation too`() {
        #expect(KnownField(bytes("Proxy-Auth_X").span) == .imitation)
        #expect(KnownField(bytes("X-Forwarded_For").span) == .imitation)
    }

    @Test func `every field has its rules`() {
        let all = (UInt8.min...UInt8.max).compactMap { KnownField(rawValue: $0) }
        #expect(all.count == 21)
        let hopByHop: Set<KnownField> = [
            .connection, .te, .upgrade, .keepAlive, .proxy, .transferEncoding, .imitation,
        ]
        let trailing: Set<KnownField> = [.other, .via, .idempotencyKey]
        for field in all {
            #expect(field.isHopByHop == hopByHop.contains(field), "\(field)")
            #expect(field.isForbiddenInTrailers == !trailing.contains(field), "\(field)")
        }
    }
}
