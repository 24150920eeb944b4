import Testing
import TollkeyCore

struct RequestIDSearchTests {
    private let json = "Content-Type: application/json\r\n"

    private func search(
        _ places: [AnswerPlace], head lines: String, _ pieces: [[UInt8]]
    ) throws -> RequestIDSearch {
        let text = "HTTP/1.1 200 OK\r\n\(lines)\r\n"
        let head = try response(text)
        let search = RequestIDSearch()
        search.begin(RequestIDPlaces(places), head.fields, bytes(text).span)
        for piece in pieces { search.read(piece.span) }
        return search
    }

    private func found(_ content: String, _ places: [AnswerPlace.Step]...) throws -> String? {
        try search(places.map { .json($0) }, head: json, [bytes(content)]).found
    }

    private let meta: [AnswerPlace.Step] = [.member("meta"), .member("request_id")]
    private let details: [AnswerPlace.Step] = [.member("error"), .member("details"), .member("request_id")]

    @Test(
        arguments: [
            (#"{"meta":{"request_id":"req_1"}}"#, "req_1"),
            (
                "\r\n{ \"data\" : [1, -2.5e+3, true, \"x\"] ,\t\"meta\" : { \"a\": {}, \"request_id\" : \"r\" } }",
                "r"
            ),
            (#"{"error":{"code":"x","details":{"request_id":42}}}"#, "42"),
            (#"{"meta":{"request_id":0}}"#, "0"), (#"{"meta":{"request_id":-7}}"#, "-7"),
            (#"{"meta":{"request_id":12345678901234567890}}"#, "12345678901234567890"),
            (#"{"\u006deta":{"request\u005fid":"a\/b\u002d1"}}"#, "a/b-1"),
            (#"{"meta":{"request_id":"azAZ09._:/+=@-"}}"#, "azAZ09._:/+=@-"),
            // What is no id is passed over, and the next place looked at.
            (#"{"meta":{"request_id":""},"error":{"details":{"request_id":"b"}}}"#, "b"),
            (#"{"error":{"details":{"request_id":"b"}},"meta":{"request_id":null}}"#, "b"),
            (#"{"error":{"details":{"request_id":"b"}},"meta":{"request_id":"a"}}"#, "a"),
            (#"{"meta":{"request_id":1.0}}"#, nil), (#"{"meta":{"request_id":1e3}}"#, nil),
            (#"{"meta":{"request_id":true}}"#, nil), (#"{"meta":{"request_id":{"id":"x"}}}"#, nil),
            (#"{"meta":{"request_id":["x"]}}"#, nil), (#"{"meta":{"request_id":"a b"}}"#, nil),
            (#"{"meta":{"request_id":"a\nb"}}"#, nil), (#"{"meta":{"request_id":"a\"b"}}"#, nil),
            (#"{"meta":{"request_id":"é"}}"#, nil), (#"{"request_id":"x"}"#, nil),
            (#"{"a":{"meta":{"request_id":"x"}}}"#, nil), (#"[{"meta":{"request_id":"x"}}]"#, nil),
            (#"{"meta":{"a":{"request_id":"x"}}}"#, nil), (#"{"META":{"request_id":"x"}}"#, nil),
            (#"{"a":"{\"meta\":{\"request_id\":\"x\"}}"}"#, nil), (#""x""#, nil), ("", nil), ("1", nil),
        ] as [(String, String?)])
    func `what stands at the first place that is there`(_ content: String, _ id: String?) throws {
        #expect(try found(content, meta, details) == id)
    }

    @Test func `elements are counted from zero`() throws {
        let place: [AnswerPlace.Step] = [.member("a"), .element(2), .member("id")]
        #expect(try found(#"{"a":[{"id":"0"},[{"id":"x"}],{"id":"2"},{"id":"3"}]}"#, place) == "2")
        #expect(try found(#"{"a":[{"id":"0"},{"id":"1"}]}"#, place) == nil)
        #expect(try found(#"{"a":{"2":{"id":"0"}}}"#, place) == nil)
        #expect(try found(#"["a","b"]"#, [.element(1)]) == "b")
        #expect(try found(#"[[],[1,[2,3]]]"#, [.element(1), .element(1), .element(0)]) == "2")
    }

    @Test func `one place may lie within another's value`() throws {
        #expect(try found(#"{"a":{"b":"x"}}"#, [.member("a")], [.member("a"), .member("b")]) == "x")
        #expect(try found(#"{"a":"y"}"#, [.member("a"), .member("b")], [.member("a")]) == "y")
    }

    @Test(arguments: [
        #"{"a":1,}"#, #"{"a" 1}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":tru}"#, #"{"a":"\x"}"#, #"{"a":[1}"#,
        #"{"a":{"b":[1}]}"#, #"{"a":"\ud83d"}"#, #"{"a":"\ude00"}"#, #"{"a":+1}"#, "{\"a\":\"\n\"}", "{a:1}",
        #"{"a":-}"#, #"{"a":.5}"#, #"{"a":1e}"#, "<html>", "\u{feff}{}", "{\"a\":{\"b\":\"\n\"}}", "'a'",
    ])
    func `behind what is no JSON nothing is looked for`(_ beginning: String) throws {
        let content = beginning.dropLast() + #","meta":{"request_id":"x"}}"#
        let search = try search([.json(meta)], head: json, [bytes(String(content))])
        #expect(search.found == nil && !search.wantsContent)
    }

    @Test func `what was found in front of it stays`() throws {
        #expect(try found(#"{"error":{"details":{"request_id":"a"}},!"#, meta, details) == "a")
    }

    @Test func `the search ends with the first place, and with the text`() throws {
        let places: [AnswerPlace] = [.json(meta), .json(details)]
        for (content, wants) in [
            (#"{"meta":{"request_id":"a""#, false), (#"{"error":{"details":{"request_id":"a""#, true),
            (#"{"a":[]}"#, false), (#"{"a":[]"#, true), ("", true),
        ] {
            #expect(try search(places, head: json, [bytes(content)]).wantsContent == wants)
        }
    }

    @Test func `128 bytes are taken, and no more`() throws {
        let long = String(repeating: "x", count: 128)
        #expect(try found(#"{"meta":{"request_id":"\#(long)"}}"#, meta) == long)
        #expect(try found(#"{"meta":{"request_id":"\#(long)x"}}"#, meta) == nil)
        #expect(try found(#"{"meta":{"request_id":"\#(long + long)xx"}}"#, meta) == nil)
        let digits = String(repeating: "1", count: 300)
        #expect(try found(#"{"meta":{"request_id":\#(digits)}}"#, meta) == nil)
    }

    @Test func `a name is compared up to 256 bytes`() throws {
        let name = String(repeating: "n", count: 256)
        #expect(try found(#"{"\#(name)":"x"}"#, [.member(name)]) == "x")
        #expect(try found(#"{"\#(name)n":"x"}"#, [.member(name + "n")]) == nil)
    }

    @Test func `16 KiB are looked at, and no more`() throws {
        let rest = #"","meta":{"request_id":"x""#
        for (more, id) in [(0, "x"), (1, nil)] as [(Int, String?)] {
            let filler = String(repeating: "f", count: (16 << 10) - rest.utf8.count - 6 + more)
            let content = bytes(#"{"a":""# + filler + rest)
            for pieces in [[content], [Array(content[..<100]), Array(content[100...])]] {
                let search = try search([.json(meta)], head: json, pieces + [bytes("}}")])
                #expect(search.found == id && !search.wantsContent)
            }
        }
    }

    @Test func `32 levels are gone down, and no more`() throws {
        for (levels, id) in [(31, "x"), (32, nil)] as [(Int, String?)] {
            let open = String(repeating: "[", count: levels)
            let close = String(repeating: "]", count: levels)
            #expect(try found(#"{"a":\#(open)\#(close),"id":"x"}"#, [.member("id")]) == id)
            let steps = Array(repeating: AnswerPlace.Step.element(0), count: levels)
            #expect(try found(#"{"a":\#(open)"y"\#(close)}"#, [.member("a")] + steps) == id.map { _ in "y" })
        }
    }

    @Test(arguments: [
        ("Content-Type: application/json\r\n", true),
        ("content-type: Application/Problem+JSON ; charset=utf-8\r\n", true),
        ("Content-Type: application/vnd.api+json;a=b\r\n", true), ("Content-Type: text/json\r\n", false),
        ("Content-Type: text/html\r\n", false), ("", false), ("Content-Type: +json\r\n", false),
        ("Content-Type: application/json-seq\r\n", false), ("Content-Type:\r\n", false),
        ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", false),
        ("Content-Encoding:\r\nContent-Type: application/json\r\n", false),
        ("Content-Type: application/json\r\nContent-Type: application/json\r\n", false),
    ])
    func `only JSON that is not coded is read`(_ lines: String, _ isRead: Bool) throws {
        let search = try search([.json(meta)], head: lines, [bytes(#"{"meta":{"request_id":"x"}}"#)])
        #expect((search.found == "x") == isRead)
    }

    @Test func `the first header that holds an id wins over places behind it`() throws {
        let places: [AnswerPlace] = [.json(meta), .header("x-request-id"), .json(details)]
        let head = json + "X-Request-Id: a b\r\nX-REQUEST-ID: h1\r\nx-request-id: h2\r\n"
        for (content, id) in [
            (#"{"error":{"details":{"request_id":"e"}}}"#, "h1"), (#"{"meta":{"request_id":"m"}}"#, "m"),
            ("", "h1"),
        ] {
            #expect(try search(places, head: head, [bytes(content)]).found == id)
        }
        let first = try search([.header("x-request-id"), .json(meta)], head: head, [])
        #expect(first.found == "h1" && !first.wantsContent)
        #expect(try search([.header("x-trace")], head: head, []).found == nil)
        #expect(try search([.header("x-a"), .header("x-request-id")], head: head, []).found == "h1")
    }

    @Test func `a header of 129 bytes is none`() throws {
        let long = String(repeating: "x", count: 129)
        let lines = "X-Request-Id: \(long)\r\nX-Request-Id: \(long.dropLast())\r\n"
        #expect(try search([.header("x-request-id")], head: lines, []).found?.utf8.count == 128)
    }

    @Test func `eight places are looked at`() throws {
        let places = (0..<9).map { AnswerPlace.json([.member("m\($0)")]) }
        #expect(try search(places, head: json, [bytes(#"{"m8":"x"}"#)]).found == nil)
        #expect(try search(places, head: json, [bytes(#"{"m8":"x","m7":"y"}"#)]).found == "y")
        #expect(try search([.content], head: json, [bytes("x")]).wantsContent == false)
    }

    @Test func `nothing of an answer is left for the next one`() throws {
        let text = "HTTP/1.1 200 OK\r\n\(json)X-Request-Id: h\r\n\r\n"
        let head = try response(text)
        let search = RequestIDSearch()
        let both = RequestIDPlaces([.json(meta), .header("x-request-id")])
        search.begin(both, head.fields, bytes(text).span)
        search.read(bytes(#"{"meta":{"request_id":"x"},"a":[[["#).span)
        #expect(search.found == "x")
        search.begin(RequestIDPlaces([.json(meta)]), head.fields, bytes(text).span)
        #expect(search.found == nil && search.wantsContent)
        search.read(bytes(#"{"meta":{"request_id":"y"}}"#).span)
        #expect(search.found == "y")
        search.end()
        #expect(search.found == nil && !search.wantsContent)
    }
}
