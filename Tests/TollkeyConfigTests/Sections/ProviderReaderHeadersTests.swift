import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderHeadersTests {
    private let upstream = "upstream: https://a.test\n"
    private let secret = "secrets: {key: \"${env:KEY}\"}\n"

    @Test func `headers, defaults and passes land in their settings`() throws {
        let provider = try provider(
            upstream + secret + "inject: {X-Key: \"k ${key}\"}\ndefaults: {Accept: a/b}\npass: [Cookie, x-a]")
        #expect(
            provider.inject == [InjectedHeader(name: "X-Key", value: [.text("k "), .secret("key")])])
        #expect(provider.defaults == [InjectedHeader(name: "Accept", value: [.text("a/b")])])
        #expect(provider.pass == ["cookie", "x-a"])
        #expect(provider.secrets == ["key": Secret("s3cr3t")])
    }

    @Test(arguments: [
        (
            "inject: {Host: x}",
            "4:14: a name in \"inject\" is a header that the proxy manages on each connection by itself; take it out"
        ),
        (
            "defaults: {\"a b\": x}",
            "4:16: a name in \"defaults\" is no header name; use letters, digits and \"-\""
        ),
        (
            "inject: {X-A: x, x_a: y}",
            """
            4:22: "x_a" is in "inject" twice (case, "_" and "-" make no difference), first on line 4; keep one \
            of them
            """
        ),
        (
            "inject: {X-A: x}\ndefaults: {x-a: y}",
            "5:16: \"x-a\" is in \"inject\" too, which always sets it; keep one of them"
        ),
        (
            "inject: {X-A: x}\npass: [x_a]",
            """
            5:12: "pass" lets a header through that "inject" sets, so that two would arrive; move it to \
            "defaults", or take it out
            """
        ),
        ("pass: [a, A]", "4:15: \"pass\" has this header twice; keep one of them"),
        ("inject: {X-A: [1]}", "4:19: \"X-A\" must be text; found a list"),
        ("inject: [X-A]", "4:13: \"inject\" must be a map (\"key: value\" lines below it); found a list"),
        (
            "inject: {api_key: sk_1}",
            """
            4:23: "api_key" looks like a secret in clear; put it under "secrets" as ${env:NAME}, ${file:PATH} or \
            ${credential:NAME} and write "${its_name}" here
            """
        ),
    ])
    func `what no call should carry is a problem`(_ lines: String, _ expected: String) {
        #expect(providerProblems(upstream + lines) == [expected])
    }
}
