import Testing
import TollkeyConfig

struct YamlParserTests {
    @Test func `positions are those of the characters, not of the bytes`() throws {
        guard case .node(let node, []) = YamlParser.parse(Array("{é: ü, b: [x]}".utf8), file: "f"),
            case .map(let entries) = node.content
        else {
            Issue.record("unreadable")
            return
        }
        #expect(entries.map(\.key) == ["é", "b"])
        #expect(entries.map(\.position.column) == [2, 8])
        #expect(entries.map(\.value.position.column) == [5, 11])
    }

    @Test func `a duplicate key is a problem at its second place`() {
        #expect(
            problems("threads: 1\nthreads: 2" + acme)
                == ["2:1: \"threads\" is here twice, first on line 1; keep one of them"])
        #expect(
            providerProblems("upstream: https://a.test\ntls: {ca: a, \"ca\": b}")
                == ["4:18: \"ca\" is here twice, first on line 4; keep one of them"])
    }

    @Test func `anchors, aliases, merge keys and tags are problems, and the rest is read on`() {
        #expect(
            problems("hosts: &h [a.test]\norigins: *h\nthreads: !!int 1\nlog: {<<: 1}\nlimit: 1" + acme)
                == [
                    """
                    1:8: anchors ("&name") are not used here; write the value out where it is needed
                    """,
                    """
                    2:10: aliases ("*name") are not used here; write the value out where it is needed
                    """,
                    "3:10: tags (\"!name\") are not used here; take it out",
                    "4:7: merge keys (\"<<\") are not used here; \"use\" takes a shipped description over",
                    "5:1: \"limit\" is an unknown key; did you mean \"limits\"?",
                ])
    }

    @Test func `a key is one word`() {
        #expect(problems("? [a]\n: 1" + acme) == ["1:3: a key is one word, not a list"])
        #expect(problems("'': 1" + acme) == ["1:1: a key is missing in front of the \":\""])
    }

    @Test func `nesting is read to the bound and refused one deeper`() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        guard case .node = YamlParser.parse(nested(Bounds.depth), file: "f") else {
            Issue.record("refused at the bound")
            return
        }
        guard case .unreadable(let problem) = YamlParser.parse(nested(Bounds.depth + 1), file: "f") else {
            Issue.record("accepted beyond the bound")
            return
        }
        #expect(problem.description == "f:1:33: maps and lists are nested more than 32 deep; no setting is")
    }

    @Test func `values are read to the bound and refused one beyond`() {
        // The list counts too.
        func list(_ count: Int) -> [UInt8] {
            Array("[".utf8) + Array(repeating: "1,", count: count).joined().utf8 + Array("]".utf8)
        }
        guard case .node = YamlParser.parse(list(Bounds.nodes - 1), file: "f") else {
            Issue.record("refused at the bound")
            return
        }
        guard case .unreadable(let problem) = YamlParser.parse(list(Bounds.nodes), file: "f") else {
            Issue.record("accepted beyond the bound")
            return
        }
        #expect(problem.message == "the file holds more than 200000 values; is this the right file?")
    }
}
