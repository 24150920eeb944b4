import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderSecretsTests {
    private let upstream = "upstream: https://a.test\n"
    private let forms = "${env:NAME}, ${file:PATH} or ${credential:NAME}"

    @Test func `a secret that a header names and nobody gave is a problem once, and says how to give it`() {
        #expect(
            providerProblems(upstream + "inject: {X-A: \"${my-key}\", X-B: \"${my-key}\"}") == [
                """
                4:19: "acme" needs the secret "my-key"; give it under its "secrets", as in my-key: \
                ${env:ACME_MY_KEY}
                """
            ])
    }

    @Test func `for a description's header the problem is at the user's provider`() {
        #expect(
            problems("providers:\n  p: {use: tuku}") == [
                "2:3: \"p\" needs the secret \"api_key\"; give it under its \"secrets\", as in api_key: ${env:P_API_KEY}",
                "2:3: \"p\" needs the secret \"app_id\"; give it under its \"secrets\", as in app_id: ${env:P_APP_ID}",
            ])
    }

    @Test func `an unused secret is a problem that knows better`() {
        #expect(
            providerProblems(upstream + "secrets: {key: \"${env:KEY}\"}")
                == [
                    """
                    4:15: the secret "key" is not used; write "${its_name}" where it belongs, or take it out
                    """
                ])
        #expect(
            providerProblems("use: piaxis\nsecrets: {apikey: \"${env:KEY}\"}").last
                == "4:15: the secret \"apikey\" is not used; did you mean \"api_key\"?")
        #expect(
            providerProblems("use: jpay\nenvironment: sandbox\nsecrets: {token: \"${env:KEY}\"}").last
                == "5:15: the secret \"token\" is not used; with \"variant: token\" it would be")
    }

    @Test func `a secret that cannot be had says why`() {
        #expect(
            providerProblems(upstream + "secrets: {key: \"${env:GONE}\"}\ninject: {X-A: \"${key}\"}") == [
                "4:20: the secret \"key\" cannot be had: the environment has no variable GONE"
            ])
    }

    @Test func `a literal is a problem unless only the owner can read it`() throws {
        let lines =
            "providers: {a: {upstream: https://a.test, secrets: {key: abc}, inject: {X-A: \"${key}\"}}}"
        #expect(
            problems(lines) == [
                """
                1:58: the secret "key" stands here in clear, in a file that others can read; write \(forms), or \
                make the file readable by its owner alone (chmod 600)
                """
            ])
        #expect(try settings(lines, literals: true).providers[0].secrets == ["key": Secret("abc")])
    }

    @Test(arguments: [
        ("\"${env:EMPTY}\"", "the secret \"key\" is empty; put the secret there"),
        (
            "\"${env:BROKEN}\"",
            "the secret \"key\" has a control character or a line end in it, which no header can hold; store it without"
        ),
        (
            "\"a\\0b\"",
            "the secret \"key\" has a control character or a line end in it, which no header can hold; store it without"
        ),
        (
            "\"a\\x7fb\"",
            "the secret \"key\" has a control character or a line end in it, which no header can hold; store it without"
        ),
        ("\" a\"", "the secret \"key\" begins or ends with a space, which HTTP drops; store it without"),
        ("\"\"", "the secret \"key\" is empty; put the secret there"),
        ("[a]", "the secret \"key\" must be ${env:NAME}, ${file:PATH} or ${credential:NAME}; found a list"),
    ])
    func `a secret that no header can hold is a problem`(_ value: String, _ message: String) {
        let lines =
            "providers: {a: {upstream: https://a.test, secrets: {key: \(value)}, inject: {X-A: \"${key}\"}}}"
        #expect(problems(lines, literals: true) == ["1:58: \(message)"])
    }

    @Test func `a tab inside a secret and its longest length are good`() throws {
        func file(_ secret: String) -> String {
            "providers: {a: {upstream: https://a.test, secrets: {key: \"\(secret)\"}, inject: {X-A: \"${key}\"}}}"
        }
        _ = try settings(file("a\\tb"), literals: true)
        let longest = String(repeating: "a", count: Bounds.secretBytes)
        _ = try settings(file(longest), literals: true)
        #expect(
            problems(file(longest + "a"), literals: true)
                == ["1:58: the secret \"key\" is longer than 16KiB"])
    }

    @Test func `names of secrets are names`() {
        #expect(
            providerProblems(upstream + "secrets: {\"a b\": \"${env:KEY}\"}") == [
                """
                4:15: a secret's name is 1 to 64 letters, digits, "_" and "-", then a colon and a space; rename \
                this one
                """
            ])
    }
}
