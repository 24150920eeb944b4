import Testing
import TollkeyConfig

struct YamlSyntaxTests {
    @Test(arguments: [
        ("providers:\n\tpiaxis:\n", "2:1: there is a tab here; YAML is indented with spaces"),
        ("é: |\n\tx\n", "2:1: there is a tab here; YAML is indented with spaces"),
        ("a: 'x\nb: 1\n", "1:4: the quote that opens here is never closed"),
        ("\"a\n---\n", "1:1: the quote that opens here is not closed before the \"---\""),
        (
            "a: [1, 2\nb: 3\n",
            "2:2: a \",\" or \"]\" was expected here; text that begins with \"[\" needs quotes"
        ),
        ("a: {b: 1\n", "2:1: a \",\" or \"}\" was expected here; text that begins with \"{\" needs quotes"),
        ("a: 1\nb\n", "2:1: a key needs a colon and a space after it (\"key: value\"), or text needs quotes"),
        (
            "a: b: c\n",
            "1:5: a \": \" is not possible here; check the line's indentation, or put the text into quotes"
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            "3:2: this line does not fit the map around it; check its indentation and the quotes before it"
        ),
        ("a:\n  - b\n  c: 1\n", "3:3: this line does not fit the list around it; check its indentation"),
        (
            "listen: [::1]:8080\n",
            "1:10: a value was expected here; text that begins with a sign needs quotes, as in \"[::1]:8080\""
        ),
        ("a: @x\n", "1:4: text cannot begin with this character; put it into quotes"),
        ("a: \"\\q\"\n", "1:5: this \"\\\" escape is unknown; use single quotes, or write \"\\\\\""),
        ("a: - b\n", "1:4: a list (\"- \") is not possible here; begin it on a line of its own"),
        ("{a: 1}}\n", "1:7: the file's value ended before this; check the indentation"),
        ("%FOO\n---\na: 1\n", "1:5: this is not YAML; check the quotes and the indentation here"),
        (
            "a: 1\n---\nb: 2\n",
            "2:1: a second document begins here; a configuration is one, so remove the \"---\""
        ),
    ])
    func `a syntax error is the only problem, with its place`(_ text: String, _ expected: String) {
        #expect(problems(text) == [expected])
    }
}
