import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderTests {
    private let upstream = "upstream: https://a.test\n"

    @Test func `every bound and rule lands in its setting`() throws {
        let provider = try provider(
            upstream + """
                route: /pay
                allow: ["POST /payments/**", "* /x/*"]
                peers: {uid: [1, 2], gid: 3}
                timeouts: {connect: 1s, tls: 2s, head: 3s, idle: 4s, whole: 5s}
                pool: {connections: 6, idle: 5, idle_timeout: 7s, waiting: 8, wait: 9s}
                body: {max: 10MiB, replay: 0}
                docs: https://docs.test/#auth
                """, top: "listen: unix:/run/p.sock\n")
        var expected = ProviderSettings(
            name: "acme", upstream: UpstreamURL(scheme: .https, host: "a.test", port: 443, basePath: ""))
        expected.route = "/pay"
        expected.allow = [try CallPattern("POST /payments/**"), try CallPattern("* /x/*")]
        var peers = PeerRule()
        (peers.uids, peers.gids) = ([1, 2], [3])
        expected.peers = peers
        (expected.timeouts.connect, expected.timeouts.tls) = (.seconds(1), .seconds(2))
        (expected.timeouts.head, expected.timeouts.idle) = (.seconds(3), .seconds(4))
        expected.timeouts.whole = .seconds(5)
        (expected.pool.connections, expected.pool.idle) = (6, 5)
        (expected.pool.idleTimeout, expected.pool.waiting, expected.pool.wait) = (.seconds(7), 8, .seconds(9))
        (expected.body.max, expected.body.replay) = (10 << 20, 0)
        #expect(provider == expected)
    }

    @Test(arguments: ["a b", "ä", "a.b", "a/b", String(repeating: "a", count: 65)])
    func `a name is a label`(_ name: String) {
        #expect(
            problems("providers: {\"\(name)\": {upstream: https://a.test}}").first == """
                1:13: a provider's name is 1 to 64 letters, digits, "_" and "-"; rename this one
                """)
    }

    @Test func `a provider is a map`() {
        #expect(
            problems("providers:\n  acme:\n  b: text\n  c: [1]") == [
                "2:3: \"acme\" must be a map (\"key: value\" lines below it); found nothing",
                "3:6: \"b\" must be a map (\"key: value\" lines below it); found text",
                "4:6: \"c\" must be a map (\"key: value\" lines below it); found a list",
            ])
    }

    @Test(arguments: [
        (
            "use: stripe",
            "4:10: \"use\" names no shipped description; there are jpay, pixlpay, piaxis, tezpay, tuku"
        ),
        ("use: piaxs", "4:10: \"use\" names no shipped description; did you mean \"piaxis\"?"),
        ("use: [piaxis]", "4:10: \"use\" must be text; found a list"),
        ("route: pay", "4:12: \"route\" must begin with \"/\""),
        (
            "docs: see there",
            "4:11: \"docs\" has a space or a letter beyond ASCII in it; write the URL encoded"
        ),
        (
            "pass: [Host]",
            "4:12: \"pass\" is a header that the proxy manages on each connection by itself; take it out"
        ),
        ("allow: []", "4:12: \"allow\" is an empty list; name one, or take the key out"),
        ("allow:", "4:5: \"allow\" has no value; give it one, or take the key out"),
        (
            "allow: [GET]",
            "4:13: \"allow\" must be a method, one space and a path, such as \"GET /payments/**\""
        ),
        ("allow: [GET a]", "4:13: \"allow\" has a path that does not begin with \"/\""),
        (
            "allow: [\"GET /**/a\"]",
            "4:13: \"allow\" has something behind \"**\", which stands for the rest; end with it"
        ),
        ("allow: [GET /a*]", "4:13: \"allow\" has a \"*\" inside a segment; it stands for a whole one"),
        ("allow: [\"(X) /a\"]", "4:13: \"allow\" has no good method; write GET, POST, …, or \"*\" for any"),
        (
            "allow: [get /a]",
            "4:13: \"allow\" has a method in small letters; methods are written in capitals (\"GET /path\")"
        ),
        (
            "allow: [GET /a?b]",
            "4:13: \"allow\" has a character that no path holds; patterns are about paths, without query"
        ),
        ("allow: [GET /../a]", "4:13: \"allow\" has a dot segment; no call could match it"),
        (
            "pool: {connections: 10, idle: 11}",
            "4:35: \"idle\" is more than \"connections\", which counts them too; lower it"
        ),
        ("body: {replay: 65MiB}", "4:20: \"replay\" must be from 0 to 64MiB"),
        (
            "peers: {uid: 1}",
            """
            4:5: "peers" is what the kernel says on a unix socket, and no listener is one; add "unix:/path" to \
            "listen", or take it out
            """
        ),
    ])
    func `a wrong value is a problem at its place`(_ line: String, _ expected: String) {
        #expect(providerProblems(upstream + line) == [expected])
    }

    @Test func `peers that name nobody are a problem`() {
        #expect(
            problems("listen: unix:/p\nproviders: {a: {upstream: https://a.test, peers: {}}}")
                == ["2:43: \"peers\" lists nobody; name a \"uid\" or a \"gid\", or take it out"])
    }

    @Test func `a small pool keeps no more idle connections than it has`() throws {
        #expect(try provider(upstream + "pool: {connections: 4}").pool.idle == 4)
    }
}
