import Testing
import TollkeyCore

struct SecretTests {
    private let secret = Secret("hunter2")

    @Test func `a secret prints as one`() {
        #expect("\(secret)" == "<secret>")
        #expect(String(describing: secret) == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        #expect("\([secret])" == "[<secret>]")
        #expect("\(["k": secret])" == "[\"k\": <secret>]")
        #expect("\(Optional(secret) as Any)" == "Optional(<secret>)")
    }

    @Test func `reflection finds nothing in it`() {
        #expect(Mirror(reflecting: secret).children.isEmpty)
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(dumped == "- <secret>\n")
    }

    @Test func `reveal lends its bytes, and only they count`() {
        #expect(secret.reveal { $0 } == Array("hunter2".utf8))
        #expect(secret == Secret(Array("hunter2".utf8)))
        #expect(secret != Secret("hunter3"))
        #expect(Secret("").isEmpty && !secret.isEmpty)
    }

    @Test func `what no header can hold is a fault, but for keys`() {
        let lineEnd =
            "has a control character or a line end in it, which no header can hold; store it without"
        let space = "begins or ends with a space, which HTTP drops; store it without"
        #expect(secret.fault(isKey: false) == nil)
        #expect(Secret("").fault(isKey: true) == "is empty; put the secret there")
        for (text, fault) in [("a\nb", lineEnd), ("a\u{0}", lineEnd), (" a", space), ("a\t", space)] {
            #expect(Secret(text).fault(isKey: false) == fault)
            #expect(Secret(text).fault(isKey: true) == nil)
        }
    }

    @Test func `a secret is as long as its bound`() {
        let longest = String(repeating: "a", count: Secret.bytesMax)
        #expect(Secret(longest).fault(isKey: false) == nil)
        #expect(Secret(longest + "a").fault(isKey: false) == "is longer than 16KiB")
        #expect(Secret(longest + "a").fault(isKey: true) == "is longer than 16KiB")
    }

    @Test func `settings that hold a secret do not show it`() {
        var settings = Settings()
        settings.providers = [
            acme {
                $0.secrets = ["k": secret]
                $0.inject = [InjectedHeader(name: "X-Key", value: [.secret("k")])]
            }
        ]
        expectHidden(settings)
        expectHidden(settings.providers[0])
        expectHidden(RequestRewriter(settings.providers[0], pseudonym: "p"))
    }

    @Test func `a default that names a secret does not show it`() {
        let provider = acme {
            $0.secrets = ["k": secret]
            $0.defaults = [InjectedHeader(name: "X-Key", value: [.secret("k")])]
        }
        expectHidden(provider)
        expectHidden(
            CredentialSnapshot(
                generation: 1, headers: [], defaults: provider.defaults, secrets: provider.secrets))
    }
}

/// That neither the text `hunter2` nor its bytes, as numbers, can be seen by printing or reflection.
func expectHidden(_ value: Any, at location: SourceLocation = #_sourceLocation) {
    var dumped = ""
    dump(value, to: &dumped)
    for shown in [String(describing: value), String(reflecting: value), dumped] {
        #expect(!shown.contains("hunter2"), sourceLocation: location)
        #expect(!shown.contains("104, 117, 110, 116, 101, 114, 50"), sourceLocation: location)
    }
    let numbers = dumped.split { !$0.isNumber }.compactMap { UInt8($0) }
    #expect(!numbers.contains(bytes("hunter2")), sourceLocation: location)
}
