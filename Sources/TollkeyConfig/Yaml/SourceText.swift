/// The checks on a file's bytes that come before YAML: size, encoding, characters nobody can see.
///
/// libyaml would refuse most of these too, but tells their byte offset and no line; and it takes U+0085,
/// U+2028 and U+2029 for line ends, which editors do not, so that its line numbers would be off.
enum SourceText {
    static func problem(in text: [UInt8], file: String) -> ConfigurationProblem? {
        let start = SourcePosition(file: file, line: 1, column: 1)
        if text.count > Bounds.fileBytes {
            return ConfigurationProblem(
                start,
                "the file is larger than \(Quantity.size(Bounds.fileBytes)); is this the right file?")
        }
        if text.starts(with: [0xef, 0xbb, 0xbf]) {
            return ConfigurationProblem(
                start, "the file begins with a byte order mark; save it as UTF-8 without one")
        }
        if text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff]) {
            return ConfigurationProblem(start, "the file is UTF-16; save it as UTF-8")
        }
        return firstBadCharacter(in: text, file: file)
    }

    private static func firstBadCharacter(in text: [UInt8], file: String) -> ConfigurationProblem? {
        var position = SourcePosition(file: file, line: 1, column: 1)
        var decoder = UTF8()
        var bytes = text.makeIterator()
        var afterReturn = false
        while true {
            switch decoder.decode(&bytes) {
            case .emptyInput:
                return nil
            case .error:
                return ConfigurationProblem(position, "this is not UTF-8; save the file as UTF-8")
            case .scalarValue(let character):
                if let fault = fault(of: character) { return ConfigurationProblem(position, fault) }
                if character == "\n", afterReturn {
                    // The second half of CR LF: the line has been counted.
                } else if character == "\n" || character == "\r" {
                    position.line += 1
                    position.column = 1
                } else {
                    position.column += 1
                }
                afterReturn = character == "\r"
            }
        }
    }

    private static func fault(of character: Unicode.Scalar) -> String? {
        switch character.value {
        case 0x09, 0x0a, 0x0d, 0x20...0x7e: nil
        case 0x00: "there is a NUL byte here; take it out, or save the file as UTF-8"
        case 0x01...0x1f, 0x7f...0x9f: "there is a control character here; take it out"
        case 0x2028, 0x2029: "there is an invisible line end here (U+2028, U+2029); use a plain one"
        case 0xfeff, 0xfffe, 0xffff: "there is an invisible character here; take it out"
        default: nil
        }
    }
}
