import Testing
import TollkeyCore

struct RequestTargetTests {
    private func outcome(_ target: [UInt8]) -> Outcome {
        readRequest(bytes("GET ") + target + bytes(" HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    @Test(arguments: [
        ".", "..", "%2e", "%2E", "%2e%2e", "%2E%2e", ".%2e", "%2E.", ".;", "..;", "..;x=1", "%2e%2e;x",
        "..%3bx",
        "%2e.%3B", ".;/", ".;..",
    ])
    func `a dot segment is refused wherever it stands and however it is written`(_ dots: String) {
        let expected = Outcome.refused("the path holds a dot segment")
        for path in ["/\(dots)", "/\(dots)/", "/a/\(dots)", "/a/\(dots)/b", "//\(dots)", "/\(dots)?q"] {
            #expect(outcome(bytes(path)) == expected, "\(path)")
            #expect(outcome(bytes("http://a" + path)) == expected, "http://a\(path)")
        }
    }

    @Test(arguments: [
        "...", "....", "%2e%2e%2e", ".a", "..a", "a.", "a..", "a.b", "a;..", ";.", ";..", "%2541", "%25",
        "%252",
        "%25g0",
        "..%20",
        "-..", "..a;a/b", "%2e%2ea", "*", "**", "a;.;", ":", "@", "~",
        "%3f%23%3b",
    ])
    func `what only looks like a dot segment passes`(_ segment: String) {
        for path in ["/\(segment)", "/a/\(segment)/b", "/\(segment)/"] {
            #expect(!outcome(bytes(path)).isRefused, "\(path)")
        }
    }

    @Test(arguments: ["%2f", "%2F", "%5c", "%5C", "%00", "a%2f", "%00a", "..%2f", "%2e%2e%5cb", "a;%2F"])
    func `an encoded slash, backslash or NUL is refused`(_ segment: String) {
        for path in ["/\(segment)", "/a/\(segment)/b"] {
            #expect(outcome(bytes(path)) == .refused("the path holds an encoded slash, backslash or NUL"))
        }
    }

    @Test(arguments: ["%252e", "%252E%252e", "..%252f", "a%255Cb", "%2525%252e"])
    func `what means something in a path is refused also when it is encoded twice`(_ segment: String) {
        for path in ["/\(segment)", "/a/\(segment)/b"] {
            #expect(
                outcome(bytes(path))
                    == .refused("the path holds a dot, slash or backslash that is encoded twice"))
        }
    }

    @Test(arguments: ["%", "%2", "%g0", "%0g", "%%41", "%-1", "%+1", "%u0041", "a%", "% 1", "%2%66"])
    func `a percent sign that no two hexadecimal digits follow is refused`(_ segment: String) {
        #expect(outcome(bytes("/\(segment)")).isRefused)
        #expect(outcome(bytes("/\(segment)/b")).isRefused)
        #expect(outcome(bytes("/\(segment)?b1")).isRefused)
    }

    @Test func `a path takes the bytes of RFC 3986 and no others`() {
        let extra = Set("-._~!$&'()*+,;=:@/".utf8)
        for c in UInt8.min...UInt8.max where c != UInt8(ascii: "%") && c != UInt8(ascii: "?") {
            let isGood = Characters.isAlphanumeric(c) || extra.contains(c)
            #expect(outcome(bytes("/a") + [c] + bytes("b")).isRefused == !isGood, "\(c)")
        }
    }

    @Test func `a query takes every visible ASCII byte but the number sign`() {
        for c in UInt8.min...UInt8.max {
            let isGood = (33...126).contains(c) && c != UInt8(ascii: "#")
            #expect(outcome(bytes("/?a") + [c] + bytes("b")).isRefused == !isGood, "\(c)")
        }
    }

    @Test(arguments: ["/?../..", "/?a=%2f%00%", "/??", "/?/..;", "/?http://b/"])
    func `a query is not looked into`(_ target: String) { #expect(!outcome(bytes(target)).isRefused) }

    @Test(arguments: [
        "/#", "/a#b", "/?q#f", "/a\\b", "\\a", "/\\..\\a", "/a\"", "/<a>", "/{a}", "/a|b", "/[a]", "/^", "/`",
    ])
    func `fragments, backslashes and what must be encoded are refused`(_ target: String) {
        #expect(outcome(bytes(target)).isRefused)
    }

    @Test(arguments: [
        ("http://a/", "a"), ("HTTP://A:80/p", "A:80"), ("http://[::1]:8080/p?q", "[::1]:8080"),
        ("http://u:p@a/", "u:p@a"), ("http://a//b", "a"),
    ])
    func `an absolute target names its host`(_ target: String, _ host: String) throws {
        let all = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
        let authority = try #require(try request(all).target.authority)
        #expect(text(bytes(all)[authority]) == host)
    }

    @Test func `only an absolute target names a host`() throws {
        for target in ["/", "*", "/http://a/"] {
            #expect(try request("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").target.authority == nil)
        }
    }
}
