import Testing
import TollkeyCore

struct JSONTests {
    @Test(arguments: [
        ("", #""""#), ("a b", #""a b""#), ("\"", #""\"""#), ("\\", #""\\""#), ("\\\"", #""\\\"""#),
        ("\n", #""\n""#), ("\r\n", #""\u000d\n""#), ("\t", #""\u0009""#), ("\0", #""\u0000""#),
        ("\u{1f}", #""\u001f""#), ("\u{7f}", "\"\u{7f}\""), ("/", #""/""#), ("é€😀", #""é€😀""#),
        ("e\u{301}\u{200d}", "\"e\u{301}\u{200d}\""), ("\u{2028}", "\"\u{2028}\""),
        ("\"\u{301}", "\"\\\"\u{301}\""),
    ])
    func `a text is quoted as RFC 8259 section 7 has it`(_ text: String, _ expected: String) {
        #expect(Array(JSON.quoted(text).utf8) == Array(expected.utf8))
    }

    @Test func `no control character stands in what is quoted`() {
        let all = String(String.UnicodeScalarView((0..<0x20).compactMap { Unicode.Scalar($0) }))
        let quoted = JSON.quoted(all)
        #expect(quoted.utf8.allSatisfy { $0 >= 0x20 })
        #expect(quoted.utf8.count == 2 + 31 * 6 + 2)
    }
}
