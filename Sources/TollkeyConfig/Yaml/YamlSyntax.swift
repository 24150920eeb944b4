import CYaml

/// libyaml's complaints in our words.
///
/// libyaml tells what went wrong as English text and nothing else, so that this table is the one place where
/// error text is compared; a text that it does not know still gives a place and a sentence.
enum YamlSyntax {
    /// `blamesStart`: libyaml noticed at `problem_mark`, but `context_mark` is where a person has to look.
    private struct Words {
        var message: String
        var blamesStart = false
    }

    static func problem(
        of parser: yaml_parser_t, text: UnsafeBufferPointer<UInt8>, file: String
    ) -> ConfigurationProblem {
        let complaint = parser.problem.map { String(cString: $0) } ?? ""
        let context = parser.context.map { String(cString: $0) } ?? ""
        let at = Int(parser.problem_mark.index)
        if complaint == "found character that cannot start any token", isTab(at, text, parser.problem_mark) {
            return ConfigurationProblem(
                SourcePosition(file: file, mark: parser.problem_mark),
                "there is a tab here; YAML is indented with spaces")
        }
        let words = words(for: complaint, while: context)
        let mark = words.blamesStart ? parser.context_mark : parser.problem_mark
        return ConfigurationProblem(SourcePosition(file: file, mark: mark), words.message)
    }

    private static func words(for complaint: String, while context: String) -> Words {
        switch complaint {
        case "could not find expected ':'":
            Words(
                message: "a key needs a colon and a space after it (\"key: value\"), or text needs quotes",
                blamesStart: true)
        case "mapping values are not allowed in this context":
            Words(
                message:
                    "a \": \" is not possible here; check the line's indentation, or put the text into quotes"
            )
        case "did not find expected key":
            Words(
                message: context.hasSuffix("block mapping")
                    ? "this line does not fit the map around it; check its indentation and the quotes before it"
                    : "a key was expected here")
        case "did not find expected '-' indicator":
            Words(message: "this line does not fit the list around it; check its indentation")
        case "did not find expected node content":
            Words(
                message:
                    "a value was expected here; text that begins with a sign needs quotes, as in \"[::1]:8080\""
            )
        case "did not find expected ',' or ']'":
            Words(message: "a \",\" or \"]\" was expected here; text that begins with \"[\" needs quotes")
        case "did not find expected ',' or '}'":
            Words(message: "a \",\" or \"}\" was expected here; text that begins with \"{\" needs quotes")
        case "found unexpected end of stream":
            Words(message: "the quote that opens here is never closed", blamesStart: true)
        case "found unexpected document indicator":
            Words(message: "the quote that opens here is not closed before the \"---\"", blamesStart: true)
        case "found character that cannot start any token":
            Words(message: "text cannot begin with this character; put it into quotes")
        case "found unknown escape character":
            Words(message: "this \"\\\" escape is unknown; use single quotes, or write \"\\\\\"")
        case "did not find expected <document start>":
            Words(message: "the file's value ended before this; check the indentation")
        case "block sequence entries are not allowed in this context":
            Words(message: "a list (\"- \") is not possible here; begin it on a line of its own")
        case "block mapping keys are not allowed in this context",
            "mapping keys are not allowed in this context":
            Words(message: "a key is not possible here; begin it on a line of its own")
        case "found a tab character that violates indentation",
            "found a tab character where an indentation space is expected":
            Words(message: "there is a tab here; YAML is indented with spaces")
        case "found undefined tag handle":
            Words(message: "tags (\"!name\") are not used here; take it out")
        default:
            Words(message: "this is not YAML; check the quotes and the indentation here")
        }
    }

    /// Marks count characters, the text bytes: looks for the tab in the mark's own line.
    private static func isTab(_ index: Int, _ text: UnsafeBufferPointer<UInt8>, _ mark: yaml_mark_t) -> Bool {
        var characters = -1
        for byte in text where byte & 0xc0 != 0x80 {
            characters += 1
            if characters == index { return byte == UInt8(ascii: "\t") }
        }
        return false
    }
}
