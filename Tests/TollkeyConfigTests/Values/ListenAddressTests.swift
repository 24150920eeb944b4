import Testing
import TollkeyConfig
import TollkeyCore

struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", ListenAddress.tcp(host: "127.0.0.1", port: 8_080)),
        ("[::1]:8080", .tcp(host: "::1", port: 8_080)),
        ("LocalHost:0", .tcp(host: "localhost", port: 0)),
        ("unix:/run/tollkey/proxy.sock", .unix(path: "/run/tollkey/proxy.sock")),
    ])
    func `addresses and sockets are parsed`(_ text: String, _ expected: ListenAddress) throws {
        #expect(try ListenAddress(parsing: text) == expected)
    }

    @Test(arguments: [
        ("8080", "needs an address in front of the port, such as 127.0.0.1:8080"),
        (":8080", "needs an address in front of the port, such as 127.0.0.1:8080"),
        ("127.0.0.1", "needs a port, such as 127.0.0.1:8080, or must be unix:/path"),
        ("127.0.0.1:65536", "has no good port; ports go from 0 to 65535"),
        ("::1:8080", "needs an address in front of the port, such as 127.0.0.1:8080"),
        ("fe80::1", "has an IPv6 address without brackets; write \"[::1]:8080\", in quotes"),
        (
            "payments.internal:80",
            "must be a literal address (127.0.0.1:8080), localhost:8080 or unix:/path"
        ),
        (
            "unix:proxy.sock",
            "must have an absolute path behind \"unix:\", such as unix:/run/tollkey/proxy.sock"
        ),
        ("unix:/run/", "names a folder; name a socket in it"),
    ])
    func `other text is refused`(_ text: String, _ message: String) {
        #expect(throws: Misfit(message)) { try ListenAddress(parsing: text) }
    }

    @Test func `a socket's path is as long as the system can bind`() throws {
        let path = "/" + String(repeating: "a", count: Bounds.unixPathBytes - 1)
        #expect(try ListenAddress(parsing: "unix:" + path) == .unix(path: path))
        #expect(throws: Misfit.self) { try ListenAddress(parsing: "unix:a" + path) }
        #expect(throws: Misfit.self) { try ListenAddress(parsing: "unix:" + path + "a") }
    }
}
