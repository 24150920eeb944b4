import Testing
import TollkeyConfig
import TollkeyCore

struct TemplateTextTests {
    @Test(arguments: [
        ("application/json", [TemplateText.Part.text("application/json")]),
        ("${key}", [.name("key")]),
        ("Bearer ${key}", [.text("Bearer "), .name("key")]),
        ("${a}:${b-2}!", [.name("a"), .text(":"), .name("b-2"), .text("!")]),
        ("${access.session}", [.name("access.session")]),
        ("${request.field.items[0].id}", [.name("request.field.items[0].id")]),
        ("$$${a}$$", [.text("$"), .name("a"), .text("$")]),
        ("$${a}", [.text("${a}")]),
    ])
    func `text and names are taken apart`(_ text: String, _ expected: [TemplateText.Part]) throws {
        #expect(try TemplateText.parse(text, for: .header).parts == expected)
    }

    @Test(arguments: [
        ("", "is empty; give the header a value, or take it out"),
        (" x", "begins or ends with a space, which HTTP drops; take it out"),
        ("a\r\nb", "must be printable ASCII, without line ends"),
        ("a\tb", "must be printable ASCII, without line ends"),
        ("é", "must be printable ASCII, without line ends"),
        ("a $ b", "has a \"$\" alone; write \"$$\" for a dollar sign, \"${name}\" for a secret"),
        ("a$", "has a \"$\" alone; write \"$$\" for a dollar sign, \"${name}\" for a secret"),
        ("${a", "has a \"${\" without its \"}\""),
        ("${}", "has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\""),
        ("${a b}", "has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\""),
        ("${a.}", "has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\""),
        ("${.a}", "has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\""),
        ("${env:KEY}", "takes no reference; put it under \"secrets\" and write \"${its_name}\" here"),
    ])
    func `what no header can hold is refused`(_ text: String, _ message: String) {
        #expect(throws: Misfit(message)) { try TemplateText.parse(text, for: .header) }
    }

    @Test func `a field may be empty and hold any letters, and what is signed line ends too`() throws {
        #expect(try TemplateText.parse("", for: .field).parts == [])
        #expect(try TemplateText.parse(" é ", for: .field).parts == [.text(" é ")])
        #expect(try TemplateText.parse("a\r\n\tb", for: .signed).parts == [.text("a\r\n\tb")])
        #expect(throws: Misfit("has a control character or a line end in it; take it out")) {
            try TemplateText.parse("a\nb", for: .field)
        }
        #expect(throws: Misfit("has a control character in it; take it out")) {
            try TemplateText.parse("a\u{0}b", for: .signed)
        }
    }

    @Test(arguments: [TemplateText.Purpose.header, .field, .signed])
    func `a template is as long as its bound`(_ purpose: TemplateText.Purpose) throws {
        let text = String(repeating: "a", count: Bounds.templateBytes)
        #expect(try TemplateText.parse(text, for: purpose).parts == [.text(text)])
        #expect(throws: Misfit.self) { try TemplateText.parse(text + "a", for: purpose) }
    }
}
