import Testing
import TollkeyCore

struct AnswerReadingTests {
    @Test func `members, header fields and the whole content are found`() {
        let reading = AnswerReading(answer(200, #"{"a":[{"b":"c"}],"n":1.0,"f":false}"#, [("x-token", "t")]))
        #expect(reading.text(at: .json([.member("a"), .element(0), .member("b")])) == "c")
        #expect(reading.text(at: .member("n")) == "1.0")
        #expect(reading.text(at: .member("f")) == "false")
        #expect(reading.text(at: .header("x-token")) == "t")
        #expect(AnswerReading(answer(200, "token")).text(at: .content) == "token")
    }

    @Test func `nothing and null are not there`() {
        let reading = AnswerReading(answer(200, #"{"a":null,"o":{}}"#))
        #expect(reading.value(at: .member("a")) == nil)
        #expect(reading.value(at: .member("b")) == nil)
        #expect(reading.text(at: .member("o")) == nil)
        #expect(reading.value(at: .header("x")) == nil)
        #expect(AnswerReading(answer(200, "")).value(at: .content) == nil)
        #expect(AnswerReading(answer(200, "no json")).value(at: .json([])) == nil)
    }

    @Test(arguments: [
        ("t\n", "t"), ("t\r\n", "t"), ("t\n\n", "t\n"), ("\nt", "\nt"), ("t\r", "t\r"), (" t ", " t "),
    ])
    func `one line end is taken off the content`(_ content: String, _ expected: String) {
        #expect(AnswerReading(answer(200, content)).text(at: .content) == expected)
    }

    @Test func `content that is not UTF-8 is no text`() {
        let answer = TokenAnswer(status: 200, content: Secret([0xff, 0xfe]))
        #expect(AnswerReading(answer).text(at: .content) == nil)
    }

    @Test func `a field that comes twice counts when both say the same`() {
        #expect(answer(200, "", [("x", "1"), ("y", "2"), ("x", "1")]).field("x") == "1")
        #expect(answer(200, "", [("x", "1"), ("x", "2")]).field("x") == nil)
    }

    @Test func `an expectation is met by its text exactly`() {
        let reading = AnswerReading(answer(200, #"{"s":"valid","n":1,"f":true}"#))
        #expect(reading.meets(Expectation(place: .member("s"), value: "valid")))
        #expect(reading.meets(Expectation(place: .member("n"), value: "1")))
        #expect(reading.meets(Expectation(place: .member("f"), value: "true")))
        #expect(!reading.meets(Expectation(place: .member("s"), value: "Valid")))
        #expect(!reading.meets(Expectation(place: .member("x"), value: "")))
    }

    @Test func `an answer shows its status alone`() {
        let answer = answer(200, "hunter2", [("x-token", "hunter2")])
        expectHidden(answer)
        expectHidden(answer.fields)
        expectHidden(AnswerReading(answer))
        #expect("\(answer)" == "answer 200")
    }
}
