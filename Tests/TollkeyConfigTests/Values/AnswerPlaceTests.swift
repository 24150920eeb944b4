import Testing
import TollkeyConfig
import TollkeyCore

struct AnswerPlaceTests {
    @Test(arguments: [
        ("access_token", AnswerPlace.json([.member("access_token")])),
        ("data.token", .json([.member("data"), .member("token")])),
        ("data.items[0].id", .json([.member("data"), .member("items"), .element(0), .member("id")])),
        ("[12][0]", .json([.element(12), .element(0)])),
        ("[0].a", .json([.element(0), .member("a")])),
        ("a[\"b.c\"].d", .json([.member("a"), .member("b.c"), .member("d")])),
        ("[\"@type\"]", .json([.member("@type")])),
        ("a-b$c", .json([.member("a-b$c")])),
        ("@content", .content),
        ("@header.X-Token", .header("x-token")),
    ])
    func `places are names, numbers, headers and the whole`(_ text: String, _ expected: AnswerPlace) throws {
        #expect(try AnswerPlace.parse(text) == expected)
    }

    @Test(arguments: [
        "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a[1234567]", "a[0", "a[0]b", "a b", "a]", "a[\"b]",
        "a[\"\"]", "a\"b", "a.[0]", "[\"a\nb\"]",
    ])
    func `what is misshapen is refused`(_ text: String) {
        let message =
            "is no place; write names with dots between them, as in data.items[0].id, and odd ones as [\"odd.name\"]"
        #expect(throws: Misfit(message)) { try AnswerPlace.parse(text) }
    }

    @Test(arguments: ["@", "@body", "@header", "@header.", "@header.a b", "@Content"])
    func `what begins with an at sign is a header or the content`(_ text: String) {
        let message = """
            is no place: "@" begins @header.NAME and @content; a JSON field of that name is written ["@name"]
            """
        #expect(throws: Misfit(message)) { try AnswerPlace.parse(text) }
    }

    @Test func `nothing, and the spelling of JSONPath, are refused`() {
        #expect(throws: Misfit("is empty; name a place such as data.token")) { try AnswerPlace.parse("") }
        #expect(throws: Misfit("needs no \"$.\"; begin with the first name")) { try AnswerPlace.parse("$.a") }
    }

    @Test func `a place is as long and as deep as its bounds`() throws {
        let longest = String(repeating: "a", count: Bounds.placeBytes)
        #expect(try AnswerPlace.parse(longest) == .json([.member(longest)]))
        #expect(throws: Misfit("is longer than 256 bytes")) { try AnswerPlace.parse(longest + "a") }
        let deepest = Array(repeating: "a", count: Bounds.placeSteps).joined(separator: ".")
        _ = try AnswerPlace.parse(deepest)
        #expect(throws: Misfit("goes more than 16 levels deep")) { try AnswerPlace.parse(deepest + "[0]") }
    }
}
