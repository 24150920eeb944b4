import Testing
import TollkeyCore

struct HostGuardTests {
    private let hosts = HostGuard(
        names: ["payments.internal", "192.0.2.7", "fe80::1"],
        origins: ["https://shop.example", "http://[::1]:3000"])

    private func refusal(_ head: String) throws -> FailureKind? {
        hosts.refuses(try request(head), bytes(head).span)
    }

    static let known = [
        "localhost", "LOCALHOST", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535",
        "payments.internal", "Payments.Internal:80", "192.0.2.7:9", "[fe80::1]", "[FE80::1]:80",
    ]

    static let unknown = [
        "", ":", ":80", "evil.test", "evil.test:8080", "localhost.", "localhost.:80", "localhost.evil.test",
        "evil.localhost", "xlocalhost", "localhost:", "localhost:x", "localhost:8x", "localhost:80:80",
        "localhost:123456", "localhost:-1", "localhost: 80", "localhost 80", "local host", "localhost/",
        "localhost,localhost", "localhost@evil.test", "user@localhost", "u:p@localhost:80", "localhost#",
        "localhost?",
        "127.0.0.1.", "127.1", "127.0.0.2", "127.0.0.1.evil.test", "0x7f.0.0.1", "2130706433", "0.0.0.0",
        "::1", "::1:80", "[::1", "::1]", "[[::1]]", "[::1]80", "[::1]:", "[0:0:0:0:0:0:0:1]", "[::1%lo]",
        "[::ffff:127.0.0.1]",
        "[localhost]", "[127.0.0.1]", "fe80::1", "payments.internal.", "payments", "http://localhost",
        "localhost\\",
    ]

    @Test(arguments: known)
    func `a name of this proxy passes, with any port and in any case`(_ host: String) throws {
        #expect(try refusal("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == nil)
        #expect(try refusal("GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\r\n") == nil)
        #expect(try refusal("GET http://\(host)/ HTTP/1.0\r\n\r\n") == nil)
    }

    @Test(arguments: unknown)
    func `any other name is refused`(_ host: String) throws {
        #expect(try refusal("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .forbiddenHost)
        #expect(try refusal("GET http://localhost/ HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .forbiddenHost)
        // As a target's host, where it can be one.
        let head = "GET http://\(host)/ HTTP/1.0\r\n\r\n"
        guard !host.isEmpty, !host.contains(" "), !host.contains("/"), !host.contains("?") else { return }
        #expect(try refusal(head) == .forbiddenHost)
    }

    @Test(arguments: [
        ("localhost", "127.0.0.1"), ("localhost", "localhost:80"), ("localhost:80", "localhost"),
        ("localhost:80", "localhost:81"), ("evil.test", "localhost"), ("u@localhost", "localhost"),
    ])
    func `a target for another host than Host's is refused`(_ target: String, _ host: String) throws {
        #expect(try refusal("GET http://\(target)/ HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .badRequest)
    }

    @Test func `a target and a Host that differ in case agree`() throws {
        #expect(try refusal("GET http://LOCALHOST:1/ HTTP/1.1\r\nHost: localhost:1\r\n\r\n") == nil)
    }

    @Test func `an HTTP/1.0 call without Host passes, which no browser makes`() throws {
        #expect(try refusal("GET / HTTP/1.0\r\n\r\n") == nil)
    }

    static let pages: [(String, Bool)] = [
        ("X: y", true), ("Sec-Fetch-Site: none", true), ("Sec-Fetch-Site: same-origin", true),
        ("sec-fetch-site: NONE", true), ("Sec-Fetch-Site: same-site", false),
        ("Sec-Fetch-Site: cross-site", false),
        ("Sec-Fetch-Site:", false), ("Sec-Fetch-Site: none, none", false),
        ("Sec-Fetch-Site: anything", false),
        ("Origin: http://localhost:8080", true), ("ORIGIN: HTTP://LocalHost:8080", true),
        ("Origin: http://localhost", false), ("Origin: http://localhost:80", false),
        ("Origin: https://localhost:8080", false), ("Origin: http://127.0.0.1:8080", false),
        ("Origin: null", false),
        ("Origin:", false), ("Origin: localhost:8080", false), ("Origin: http://localhost:8080/", false),
        ("Origin: http://evil.test", false), ("Origin: http://localhost:8080.evil.test", false),
        ("Origin: https://shop.example", true), ("Origin: HTTPS://Shop.Example", true),
        ("Origin: http://[::1]:3000", true),
        ("Origin: http://shop.example", false), ("Origin: https://shop.example:443", false),
        ("Origin: https://shop.example.evil.test", false), ("Origin: https://a.shop.example", false),
        ("Origin: https://shop.example https://evil.test", false),
        ("Origin: https://shop.example\r\nSec-Fetch-Site: cross-site", true),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: https://shop.example", true),
        ("Origin: https://evil.test\r\nSec-Fetch-Site: none", false),
        ("Origin: null\r\nSec-Fetch-Site: same-origin", false),
        ("Origin: http://localhost:8080\r\nSec-Fetch-Site: same-origin", true),
        ("Origin: http://localhost:8080\r\nSec-Fetch-Site: cross-site", false),
        ("Origin: https://shop.example\r\nOrigin: https://evil.test", false),
        ("Origin: https://evil.test\r\nOrigin: https://shop.example", false),
        ("Sec_Fetch_Site: cross-site", true),
    ]

    @Test(arguments: pages)
    func `a page passes when it is this proxy's own or its origin is listed`(_ lines: String, _ passes: Bool)
        throws
    {
        #expect(
            try refusal("POST / HTTP/1.1\r\nHost: localhost:8080\r\n\(lines)\r\n\r\n")
                == (passes ? nil : .forbiddenOrigin))
    }

    @Test(arguments: ["none", "same-origin"])
    func `a foreign Sec-Fetch-Site counts whatever another one says`(_ other: String) throws {
        let foreign = "Sec-Fetch-Site: cross-site\r\n"
        let good = "Sec-Fetch-Site: \(other)\r\n"
        #expect(try refusal("GET / HTTP/1.1\r\nHost: localhost\r\n\(good)\(foreign)\r\n") == .forbiddenOrigin)
        #expect(try refusal("GET / HTTP/1.1\r\nHost: localhost\r\n\(foreign)\(good)\r\n") == .forbiddenOrigin)
    }

    @Test func `the name is asked for before the page`() throws {
        #expect(try refusal("GET / HTTP/1.1\r\nHost: evil.test\r\nOrigin: null\r\n\r\n") == .forbiddenHost)
    }
}
