import Testing
import TollkeyConfig

struct MapReaderTests {
    @Test(arguments: [
        ("timeout: {}", "1:1: \"timeout\" is an unknown key; did you mean \"timeouts\"?"),
        ("limits: {heads: 1}", "1:10: \"heads\" is an unknown key; did you mean \"head\"?"),
        ("log: {colour: red}", "1:7: \"colour\" is an unknown key; known here: level, access, sample"),
        ("log: {\"a b\": red}", "1:7: this is an unknown key; known here: level, access, sample"),
    ])
    func `an unknown key is a problem that knows better`(_ line: String, _ expected: String) {
        #expect(problems(line + acme) == [expected])
    }

    @Test(arguments: ["idempotency", "egress_proxy"])
    func `keys of later versions are problems in a provider`(_ key: String) {
        #expect(
            providerProblems("upstream: https://a.test\n\(key): []")
                == ["4:5: \"\(key)\" is not available in this version; take it out"])
    }
}
