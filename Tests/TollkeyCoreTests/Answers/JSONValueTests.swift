import Testing
import TollkeyCore

struct JSONValueTests {
    /// The text without white space, or why it is refused.
    private func read(_ text: String) -> String { read(bytes(text)) }

    private func read(_ bytes: [UInt8]) -> String {
        do throws(JSONFault) {
            return text(try JSONValue(bytes).bytes)
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        (#" { "a" : [ 1 , true , null , false ] , "b" : { } } "#, #"{"a":[1,true,null,false],"b":{}}"#),
        ("\t\r\n[]\n", "[]"), ("[[],{}]", "[[],{}]"), ("0", "0"), ("-0", "-0"), (#""x""#, #""x""#),
        ("12345678901234567890.0123e-45", "12345678901234567890.0123e-45"), ("1E+2", "1E+2"),
        (#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00""#, #""\"\\/\u0008\u000c\n\u000d\u0009Aé😀""#),
        (#""é€😀""#, #""é€😀""#), (#""\u0000""#, #""\u0000""#), (#""\ufeff""#, "\"\u{feff}\""),
        (#"{"":1}"#, #"{"":1}"#), ("\"\u{7f}\"", "\"\u{7f}\""),
    ])
    func `what RFC 8259 allows is read, numbers as they are written`(_ text: String, _ expected: String) {
        #expect(read(text) == expected)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), (#"{"a":1,}"#, 7), (#"{a:1}"#, 1), ("[1 2]", 3), ("1 2", 2),
        ("01", 1), ("-", 1), ("1.", 2), (".5", 0), ("1e", 2), ("1e+", 3), ("+1", 0), ("0x1", 1), ("NaN", 0),
        ("tru", 3), ("True", 0), ("nulll", 4), (#"{"a"}"#, 4), (#"{"a":}"#, 5), ("[", 1), ("]", 0),
        ("'a'", 0),
        (#""a"#, 2), (#""\x""#, 2), (#""\u12g4""#, 5), (#""\"#, 2), ("\"\n\"", 1), ("\"\0\"", 1), ("[]]", 2),
        ("// x\n1", 0), ("\u{feff}{}", 0), ("\u{a0}1", 0), ("1\u{0c}", 1),
    ])
    func `anything else is refused, with the place`(_ text: String, _ position: Int) {
        #expect(read(text) == "\(JSONFault.malformed(at: position))")
    }

    @Test(arguments: [
        #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\ud83d\ud83d""#, #""\ude00""#,
        #""\ude00\ud83d""#,
    ])
    func `half a surrogate pair is refused`(_ text: String) {
        #expect(read(text).hasPrefix("malformed"))
    }

    @Test(
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc3, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x31, 0x80],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused`(_ bytes: [UInt8]) {
        #expect(read(bytes) == "notUTF8")
    }

    @Test func `two members of one name are refused, however they are written`() {
        #expect(read(#"{"a":1,"a":1}"#) == "repeatedName")
        #expect(read(#"{"a":1,"\u0061":2}"#) == "repeatedName")
        #expect(read(#"[{"b":{"a":1,"x":2,"a":1}}]"#) == "repeatedName")
        #expect(read(#"{"a":{"a":1},"A":2}"#) == #"{"a":{"a":1},"A":2}"#)
        // The same text to Unicode, and not the same name.
        #expect(read(#"{"\u00e9":1,"e\u0301":2}"#) != "repeatedName")
    }

    @Test func `depth is bounded`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(JSONValue.depthMax)) == nested(JSONValue.depthMax))
        #expect(read(nested(JSONValue.depthMax + 1)) == "tooDeep")
        #expect(read(String(repeating: #"{"a":"#, count: 100_000 / 5)) == "tooDeep")
    }

    @Test func `size is bounded`() {
        let most = String(repeating: " ", count: JSONValue.bytesMax - 1) + "1"
        #expect(read(most) == "1")
        #expect(read(most + " ") == "tooLarge")
    }

    @Test func `the number of values is bounded`() {
        func zeros(_ count: Int) -> String { "[0" + String(repeating: ",0", count: count - 1) + "]" }
        #expect(read(zeros(JSONValue.valuesMax - 1)) == zeros(JSONValue.valuesMax - 1))
        #expect(read(zeros(JSONValue.valuesMax)) == "tooManyValues")
    }

    @Test func `steps lead to what stands at their end`() throws {
        let value = try JSONValue(bytes(#"{"a":[{"b":"c"},2.50,true,null],"é":"x"}"#))
        #expect(value.value(at: [.member("a"), .element(0), .member("b")])?.text == "c")
        #expect(value.value(at: [.member("a"), .element(1)])?.text == "2.50")
        #expect(value.value(at: [.member("a"), .element(2)])?.text == "true")
        #expect(value.value(at: [.member("a"), .element(3)])?.description == "<null>")
        #expect(value.value(at: [.member("a"), .element(3)])?.text == nil)
        #expect(value.value(at: [])?.text == nil)
        #expect(value.value(at: [.member("é")])?.text == "x")
    }

    @Test(
        arguments: [
            [.member("b")], [.element(0)], [.member("a"), .member("a")], [.member("a"), .element(4)],
            [.member("a"), .element(-1)], [.member("a"), .element(.max)],
            [.member("a"), .element(0), .element(0)],
            [.member("a"), .element(1), .member("")], [.member("e\u{301}")],
        ] as [[AnswerPlace.Step]])
    func `steps that lead nowhere end nowhere`(_ steps: [AnswerPlace.Step]) throws {
        let value = try JSONValue(bytes(#"{"a":[{"b":"c"},2.50,true,null],"\u00e9":"x"}"#))
        #expect(value.value(at: steps) == nil)
    }

    @Test func `what is read does not show`() throws {
        let value = try JSONValue(bytes(#"{"hunter2":["hunter2"]}"#))
        expectHidden(value)
        for steps in [[], [.member("hunter2")], [.member("hunter2"), .element(0)]] as [[AnswerPlace.Step]] {
            expectHidden(try #require(value.value(at: steps)))
        }
    }

    private static let samples: [[UInt8]] = [
        #"{"access_token":"eyJhbGciOi.J9.x","expires_in":3600,"scope":["a","b"],"x":null}"#,
        #"[1,-2.5e+10,true,{"a":{"b":["\u00e9\ud83d\ude00\n"]}},"é"]"#,
    ].map(bytes)
    private static let pieces: [[UInt8]] = [
        "{", "}", "[", "]", "\"", "\\", ",", ":", "\\u", "\\ud83d", "null", "-", "e", ".", "0", "é", " ",
        "\0",
    ].map(bytes)

    @Test func `of changed texts, each gives an answer, and what is read is written as what is read again`() {
        var dice = Dice(seed: 31)
        var accepted = 0
        for round in 0..<5_000 {
            var sample = Self.samples.randomElement(using: &dice) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &dice) { mutate(&sample, &dice) }
            guard let value = try? JSONValue(sample) else { continue }
            accepted += 1
            let written = value.bytes
            guard read(written) == text(written) else {
                Issue.record("\(round): \(text(sample)) is written as \(text(written))")
                return
            }
        }
        #expect((100..<4_900).contains(accepted))
    }

    @Test func `random bytes give an answer`() {
        var dice = Dice(seed: 32)
        for _ in 0..<5_000 { _ = try? JSONValue(dice.bytes(0...40)) }
    }

    private func mutate(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: bytes.indices, using: &dice)
        let end = min(bytes.count, at + Int.random(in: 1...6, using: &dice))
        let piece = Self.pieces.randomElement(using: &dice) ?? []
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
        case 1: bytes.removeSubrange(at..<end)
        case 2: bytes.insert(contentsOf: piece, at: at)
        case 3: bytes.replaceSubrange(at..<end, with: piece)
        default: bytes.insert(contentsOf: bytes[at..<end], at: at)
        }
    }
}
