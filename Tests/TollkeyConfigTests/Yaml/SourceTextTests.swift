import Testing
import TollkeyConfig

struct SourceTextTests {
    private func problem(_ bytes: [UInt8]) -> String? {
        guard case .unreadable(let problem) = YamlParser.parse(bytes, file: "f") else { return nil }
        return problem.description
    }

    @Test func `a file at the bound is read and one byte more is not`() {
        let text = Array("a: 1\n#".utf8)
        let full = text + [UInt8](repeating: 0x78, count: Bounds.fileBytes - text.count)
        #expect(problem(full) == nil)
        #expect(problem(full + [0x78]) == "f:1:1: the file is larger than 1MiB; is this the right file?")
    }

    @Test func `encodings other than plain UTF-8 are named`() {
        #expect(
            problem([0xef, 0xbb, 0xbf] + "a: 1".utf8)
                == "f:1:1: the file begins with a byte order mark; save it as UTF-8 without one")
        #expect(problem([0xff, 0xfe, 0x61, 0]) == "f:1:1: the file is UTF-16; save it as UTF-8")
        #expect(problem([0xfe, 0xff, 0, 0x61]) == "f:1:1: the file is UTF-16; save it as UTF-8")
        #expect(
            problem(Array("a: é\nb: ".utf8) + [0xe9, 0x0a])
                == "f:2:4: this is not UTF-8; save the file as UTF-8")
        // Overlong, a surrogate, cut off.
        for bytes: [UInt8] in [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x92]] {
            #expect(problem([0x61, 0x3a, 0x20] + bytes)?.hasPrefix("f:1:4: this is not UTF-8") == true)
        }
    }

    @Test func `characters that nobody sees are found where they are`() {
        #expect(
            problem(Array("a: 1\r\nb: é\u{0}".utf8))
                == "f:2:5: there is a NUL byte here; take it out, or save the file as UTF-8")
        #expect(problem(Array("a\u{1b}".utf8)) == "f:1:2: there is a control character here; take it out")
        #expect(problem(Array("a\u{85}b".utf8)) == "f:1:2: there is a control character here; take it out")
        #expect(
            problem(Array("a\u{2028}b".utf8))
                == "f:1:2: there is an invisible line end here (U+2028, U+2029); use a plain one")
        #expect(
            problem(Array("a\u{feff}b".utf8)) == "f:1:2: there is an invisible character here; take it out")
    }

    @Test func `lines end with LF, CR LF or CR`() {
        for end in ["\n", "\r\n", "\r"] {
            #expect(problem(Array("a: 1\(end)b: \u{7f}".utf8))?.hasPrefix("f:2:4: ") == true)
        }
    }
}
