import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderTLSTests {
    @Test func `paths begin at the configuration's folder`() throws {
        let tls = try provider(
            """
            upstream: https://a.test
            tls: {ca: /etc/ca.pem, certificate: a/c.pem, key: k.pem, least_version: 1.3, server_name: B.test}
            """, directory: "/etc/tollkey"
        ).tls
        var expected = TLSSettings()
        expected.ca = "/etc/ca.pem"
        expected.certificate = "/etc/tollkey/a/c.pem"
        expected.key = "/etc/tollkey/k.pem"
        expected.leastVersion = .tls13
        expected.serverName = "b.test"
        #expect(tls == expected)
    }

    @Test(arguments: [
        ("certificate: a", "4:24: \"certificate\" needs its \"key\"; name the file of both"),
        ("key: a", "4:16: \"key\" needs its \"certificate\"; name the file of both"),
        ("least_version: \"1.1\"", "4:26: \"least_version\" must be one of 1.2, 1.3; did you mean \"1.2\"?"),
        ("ca: \"\"", "4:15: \"ca\" is empty; name a file"),
        (
            "server_name: a b",
            "4:24: \"server_name\" has a host that is no name; use letters, digits, \"-\" and \".\""
        ),
    ])
    func `what TLS cannot use is a problem`(_ line: String, _ expected: String) {
        #expect(providerProblems("upstream: https://a.test\ntls: {\(line)}") == [expected])
    }

    @Test func `TLS settings for plain HTTP are a problem`() {
        #expect(
            providerProblems("upstream: http://localhost\ntls: {ca: a}")
                == ["4:5: \"tls\" has no meaning for an upstream of http://; take it out"])
    }
}
