import Testing
import TollkeyConfig
import TollkeyCore

struct TemplateTextTests {
    @Test(arguments: [
        ("application/json", [TemplatePart.text("application/json")]),
        ("${key}", [.secret("key")]),
        ("Bearer ${key}", [.text("Bearer "), .secret("key")]),
        ("${a}:${b-2}!", [.secret("a"), .text(":"), .secret("b-2"), .text("!")]),
        ("$$${a}$$", [.text("$"), .secret("a"), .text("$")]),
        ("$${a}", [.text("${a}")]),
    ])
    func `text and secrets are taken apart`(_ text: String, _ expected: Template) throws {
        #expect(try TemplateText.parse(text) == expected)
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
        ("${env:KEY}", "takes no reference; put it under \"secrets\" and write \"${its_name}\" here"),
    ])
    func `what no header can hold is refused`(_ text: String, _ message: String) {
        #expect(throws: Misfit(message)) { try TemplateText.parse(text) }
    }

    @Test func `a template is as long as its bound`() throws {
        let text = String(repeating: "a", count: Bounds.templateBytes)
        #expect(try TemplateText.parse(text) == [.text(text)])
        #expect(throws: Misfit.self) { try TemplateText.parse(text + "a") }
    }
}
