import Testing
import TollkeyConfig
import TollkeyCore

struct SharedReaderTests {
    /// `environment` has no URLs.
    private func read(
        _ lines: String, url: String = "", literals: Bool = false
    ) -> Result<Settings, ConfigurationProblems> {
        ConfigurationReader(file: "proxy.yaml", directory: "/etc/tollkey", literalsAllowed: literals) {
            reference in
            reference == .environment("URL") ? .success(Secret(url)) : fetch(reference)
        }.read(Array((lines + acme).utf8))
    }

    private func shared(_ lines: String, url: String = "", literals: Bool = false) throws -> SharedSettings {
        try #require(try read(lines, url: url, literals: literals).get().shared)
    }

    private func problems(_ lines: String, url: String = "", literals: Bool = false) -> [String] {
        guard case .failure(let found) = read(lines, url: url, literals: literals) else { return [] }
        return found.list.map { String($0.description.dropFirst("proxy.yaml:".count)) }
    }

    @Test func `every key lands in its setting`() throws {
        let all = try shared(
            """
            shared:
              url: rediss://Redis.internal:7000/3
              user: tollkey
              password: ${env:KEY}
              ca: redis/ca.pem
              prefix: pay
            shared_fallback: refuse
            """)
        var expected = SharedSettings(host: "redis.internal")
        (expected.port, expected.isEncrypted, expected.database) = (7_000, true, 3)
        (expected.user, expected.password) = ("tollkey", Secret("s3cr3t"))
        (expected.ca, expected.prefix, expected.fallback) = ("/etc/tollkey/redis/ca.pem", "pay", .refuse)
        #expect(all == expected)
        #expect(try read("").get().shared == nil)
    }

    @Test(
        arguments: [
            ("rediss://r.test", "r.test", 6_379, nil, nil, 0),
            ("rediss://r.test/", "r.test", 6_379, nil, nil, 0),
            ("REDISS://R.test:1/65535", "r.test", 1, nil, nil, 65_535),
            ("rediss://:pw@r.test:65535", "r.test", 65_535, nil, "pw", 0),
            ("rediss://me:pw@r.test", "r.test", 6_379, "me", "pw", 0),
            ("rediss://m%65:p%40%2F:w@r.test", "r.test", 6_379, "me", "p@/:w", 0),
            ("rediss://[2001:db8::7]:7/2", "2001:db8::7", 7, nil, nil, 2),
            ("rediss://192.0.2.7", "192.0.2.7", 6_379, nil, nil, 0),
        ] as [(String, String, Int, String?, String?, Int)])
    func `a reference holds a whole URL`(
        _ url: String, _ host: String, _ port: Int, _ user: String?, _ password: String?, _ database: Int
    ) throws {
        var expected = SharedSettings(host: host)
        (expected.port, expected.isEncrypted, expected.user) = (port, true, user)
        (expected.password, expected.database) = (password.map { Secret($0) }, database)
        #expect(try shared("shared: ${env:URL}", url: url) == expected)
        #expect(try shared("shared: {url: \"${env:URL}\"}", url: url) == expected)
        // In a private file it may stand in clear.
        #expect(try shared("shared: \"\(url)\"", literals: true) == expected)
    }

    @Test(arguments: ["redis://127.0.0.1", "redis://localhost:7", "redis://[::1]/1", "rediss://r.test"])
    func `a URL without a password may stand in clear`(_ url: String) throws {
        #expect(try shared("shared: \(url)").isEncrypted == url.hasPrefix("rediss"))
    }

    private static let form = """
        must be a Redis server's address, such as rediss://[user[:password]@]host[:port][/database]
        """

    @Test(arguments: [
        ("", "is empty; put the secret there"), ("r.test:6379", form), ("https://r.test", form),
        ("redis:/r", form),
        ("rediss://", "has no host, or one that is too long"),
        ("rediss://r.test:0", "has no good port; ports go from 1 to 65535"),
        ("rediss://r.test:65536", "has no good port; ports go from 1 to 65535"),
        (
            "rediss://r.test/65536",
            "has something behind its host that is no database; write /N, from 0 to 65535, or nothing"
        ),
        (
            "rediss://r.test/01",
            "has something behind its host that is no database; write /N, from 0 to 65535, or nothing"
        ),
        (
            "rediss://r.test/1?timeout=5",
            "has something behind its host that is no database; write /N, from 0 to 65535, or nothing"
        ),
        (
            "rediss://:hunter#2@r.test",
            "has a \"/\", \"?\" or \"#\" in its user or password; write %2F, %3F or %23 for it"
        ),
        ("rediss://:hunter@2@r.test", "has an \"@\" in its user or password; write %40 for it"),
        ("rediss://:hunter%2@r.test", "has a \"%\" in its password that no two hexadecimal digits follow"),
        ("rediss://hunter%zz@r.test", "has a \"%\" in its user that no two hexadecimal digits follow"),
        ("rediss://hunter2:@r.test", "has a \":\" and no password behind it"),
        ("rediss://:hunter 2@r.test", "has a space or a letter beyond ASCII in it; write the URL encoded"),
    ])
    func `a URL that is none says why, and does not show itself`(_ url: String, _ expected: String) {
        #expect(problems("shared: ${env:URL}", url: url) == ["1:9: \"shared\" \(expected)"])
        #expect(problems("shared: {url: \"${env:URL}\"}", url: url) == ["1:15: \"url\" \(expected)"])
    }

    @Test(arguments: ["shared: ${env:GONE}", "shared: {url: \"${env:GONE}\"}"])
    func `a URL that cannot be had is a problem`(_ line: String) {
        let found = problems(line)
        #expect(found.count == 1)
        #expect(found[0].hasSuffix("cannot be had: the environment has no variable GONE"))
    }

    @Test func `a password in clear is a problem unless the file is private`() throws {
        let advice = """
            has a password in clear, in a file that others can read; write shared: {url: …, password: "${env:NAME}"}, \
            the whole as ${env:NAME}, ${file:PATH} or ${credential:NAME}, or make the file readable by its owner alone \
            (chmod 600)
            """
        #expect(problems("shared: rediss://:hunter2@r.test") == ["1:9: \"shared\" \(advice)"])
        #expect(problems("shared: {url: rediss://me:hunter2@r.test}") == ["1:15: \"url\" \(advice)"])
        let apart = problems("shared: {url: rediss://r.test, password: hunter2}")
        #expect(apart.count == 1)
        #expect(apart[0].hasPrefix("1:42: \"password\" stands here in clear"))
        #expect(
            try shared("shared: {url: rediss://r.test, password: hunter2}", literals: true).password
                == Secret("hunter2"))
    }

    @Test(arguments: [
        (
            "shared: rediss://:${env:KEY}@r.test",
            "1:9: \"shared\" mixes text and a reference; write shared: {url: …, password: \"${env:NAME}\"}"
        ),
        ("shared: [rediss://r.test]", "1:9: \"shared\" must be text; found a list"),
        ("shared:", "1:1: \"shared\" has no value; give it one, or take the key out"),
        ("shared: {}", "1:1: \"shared\" needs a \"url\"; add it, as in url: rediss://redis.internal"),
        ("shared: {urls: x}", "1:10: \"urls\" is an unknown key; did you mean \"url\"?"),
        (
            "shared: {url: \"rediss://:a@r.test\", password: \"${env:KEY}\"}",
            "1:47: \"url\" has a password too; keep one of them"
        ),
        (
            "shared: {url: \"rediss://me:a@r.test\", user: you}",
            "1:45: \"url\" has a user too; keep one of them"
        ),
        (
            "shared: {url: rediss://r.test, prefix: \"a:b\"}",
            "1:40: \"prefix\" must be 1 to 64 letters, digits, \"_\" and \"-\""
        ),
        (
            "shared: {url: rediss://r.test, user: a b, password: \"${env:KEY}\"}",
            "1:38: \"user\" must be 1 to 256 ASCII characters without a space, and no reference"
        ),
        (
            "shared: {url: rediss://r.test, password: \"${env:EMPTY}\"}",
            "1:42: \"password\" is empty; put the secret there"
        ),
        (
            "shared: {url: redis://localhost, ca: ca.pem}",
            "1:38: \"ca\" has no meaning for redis://; write rediss://, or take it out"
        ),
        (
            "shared: {url: rediss://r.test, insecure: true}",
            "1:42: \"insecure\" permits redis://, and this is rediss://; take it out"
        ),
        (
            "shared: rediss://r.test\nshared_fallback: none",
            "2:18: \"shared_fallback\" must be one of local, refuse"
        ),
        (
            "shared_fallback: local",
            "1:1: \"shared_fallback\" is for \"shared\", and there is none; add it, or take this out"
        ),
    ])
    func `a wrong value is a problem at its place`(_ lines: String, _ expected: String) {
        let found = problems(lines, literals: true).filter {
            !$0.contains("needs a \"url\"") || lines == "shared: {}"
        }
        #expect(found == [expected])
    }

    @Test(arguments: ["shared: rediss://me@r.test", "shared: {url: rediss://r.test, user: me}"])
    func `a user without a password is a problem`(_ line: String) {
        let found = problems(line)
        #expect(found.count == 1)
        #expect(found[0].contains("the Redis server is given a user without a password"))
    }

    @Test func `another machine without TLS is a problem, unless it is meant`() throws {
        for line in ["shared: redis://r.test", "shared: {url: redis://192.0.2.7}"] {
            let found = problems(line)
            #expect(found.count == 1)
            #expect(found[0].contains("the Redis server is another machine without TLS"))
            #expect(found[0].contains("write rediss://"))
        }
        #expect(try !shared("shared: {url: redis://r.test, insecure: true}").isEncrypted)
        #expect(problems("shared: {url: redis://r.test, insecure: false}").count == 1)
    }

    @Test func `the certificates that it trusts are tried`() {
        let reader = ConfigurationReader(
            file: "proxy.yaml", directory: "/etc", secrets: fetch, faultOf: { "\($0.ca ?? "none") is no PEM" }
        )
        let text = "shared: {url: rediss://r.test, ca: ca.pem}" + acme
        guard case .failure(let found) = reader.read(Array(text.utf8)) else {
            Issue.record("no problem")
            return
        }
        #expect(found.description.contains("proxy.yaml:1:36: /etc/ca.pem is no PEM"))
    }

    @Test func `replicas that share tokens need one key, those that share limits need none`() throws {
        let jpay = """
            shared: rediss://r.test
            providers:
              jpay:
                use: jpay
                environment: sandbox
                secrets: {app_key: "${env:KEY}", app_secret: "${env:OTHER}"}
            """
        guard case .failure(let found) = TollkeyConfigTests.read(jpay) else {
            Issue.record("no problem")
            return
        }
        #expect(
            found.description == """
                proxy.yaml:1:1: "shared" has replicas use each other's tokens, which a key of their own would not \
                open; add "state_key", the same for all (make one with: openssl rand -base64 32)
                """)
        _ = try settings("state_key: ${env:LONG}\n" + jpay)
        _ = try settings(
            "shared: rediss://r.test\nproviders: {piaxis: {use: piaxis, secrets: {api_key: \"${env:KEY}\"}}}")
    }
}
