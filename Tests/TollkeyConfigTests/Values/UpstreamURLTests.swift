import Testing
import TollkeyConfig
import TollkeyCore

struct UpstreamURLTests {
    @Test(arguments: [
        (
            "https://api.acme.test",
            UpstreamURL(scheme: .https, host: "api.acme.test", port: 443, basePath: "")
        ),
        (
            "HTTPS://API.acme.test/",
            UpstreamURL(scheme: .https, host: "api.acme.test", port: 443, basePath: "")
        ),
        ("http://localhost:8001", UpstreamURL(scheme: .http, host: "localhost", port: 8_001, basePath: "")),
        ("http://127.0.0.1/v1/", UpstreamURL(scheme: .http, host: "127.0.0.1", port: 80, basePath: "/v1")),
        (
            "https://[2001:DB8::7]:8443/api/v1",
            UpstreamURL(scheme: .https, host: "2001:db8::7", port: 8_443, basePath: "/api/v1")
        ),
        (
            "https://a.test/%7Ea/...",
            UpstreamURL(scheme: .https, host: "a.test", port: 443, basePath: "/%7Ea/...")
        ),
    ])
    func `a base URL is taken apart`(_ text: String, _ expected: UpstreamURL) throws {
        #expect(try UpstreamURL(parsing: text) == expected)
    }

    @Test(arguments: [
        ("", "must be a URL that begins with https://"),
        ("api.acme.test", "must be a URL that begins with https://"),
        ("ftp://a.test", "must be a URL that begins with https://"),
        ("https:/a.test", "must be a URL that begins with https://"),
        ("https://", "has no host, or one that is too long"),
        ("https:///v1", "has no host, or one that is too long"),
        (
            "https://me:pw@a.test",
            "has a user or password in it; put them under \"secrets\" and name them in \"inject\""
        ),
        ("https://a.test?x=1", "has a query; an upstream is a base URL without one"),
        ("https://a.test/v1?", "has a query; an upstream is a base URL without one"),
        ("https://a.test/#x", "has a fragment (\"#\"); take it out"),
        ("https://a.test/a b", "has a space or a letter beyond ASCII in it; write the URL encoded"),
        ("https://a.test/ä", "has a space or a letter beyond ASCII in it; write the URL encoded"),
        ("https://a.test/{x}", "has a character in its path that must be encoded"),
        ("https://a.test\\b", "has a character in its path that must be encoded"),
        ("https://a.test/../b", "has a dot segment in its path; write the path that is meant"),
        ("https://a.test/./", "has a dot segment in its path; write the path that is meant"),
        ("https://a.test/%2e%2E/b", "has a dot segment in its path; write the path that is meant"),
        ("https://a.test/a//b", "has \"//\" in its path; write one slash"),
        ("https://a.test//", "has \"//\" in its path; write one slash"),
        ("https://a.test/a%2fb", "has an encoded slash, backslash or control character in its path"),
        ("https://a.test/a%5Cb", "has an encoded slash, backslash or control character in its path"),
        ("https://a.test/a%00b", "has an encoded slash, backslash or control character in its path"),
        ("https://a.test/a%2", "has a \"%\" in its path that no two hexadecimal digits follow"),
        ("https://a.test:0", "has no good port; ports go from 1 to 65535"),
        ("https://a.test:", "has no good port; ports go from 1 to 65535"),
        ("https://a.test:65536", "has no good port; ports go from 1 to 65535"),
        ("https://a.test:080", "has no good port; ports go from 1 to 65535"),
        ("https://::1/", "has an IPv6 address without brackets; write \"[::1]:8080\", in quotes"),
        ("https://[::1", "has a \"[\" without its \"]\""),
        ("https://[a.test]", "has something in brackets that is no IPv6 address"),
        ("https://[::1]x", "has something behind the \"]\" that is no port"),
        ("https://127.1", "has a host that looks like an address and is none"),
        ("https://a_%41.test", "has a host that is no name; use letters, digits, \"-\" and \".\""),
    ])
    func `what could be understood in two ways is refused`(_ text: String, _ message: String) {
        #expect(throws: Misfit(message)) { try UpstreamURL(parsing: text) }
    }
}
