import Testing
import TollkeyCore

struct CallPatternTests {
    private func matches(_ pattern: String, _ call: String) throws -> Bool {
        let parts = call.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        return try CallPattern(pattern).matches(method: bytes(parts[0]).span, path: bytes(parts[1]).span)
    }

    static let table: [(pattern: String, means: [String], meansNot: [String])] = [
        (
            "GET /a", ["GET /a"],
            ["POST /a", "get /a", "GE /a", "GETS /a", "GET /a/", "GET /A", "GET /ab", "GET /", "GET "]
        ),
        ("GET /", ["GET /"], ["GET /a", "GET //"]),
        ("GET /a/", ["GET /a/"], ["GET /a", "GET /a/b", "GET /a//"]),
        ("* /a", ["GET /a", "X /a"], ["GET /b", "GET /a/b"]),
        ("GET /a/b", ["GET /a/b"], ["GET /a", "GET /a/b/c", "GET /a//b", "GET //a/b", "GET /a/%62"]),
        ("GET /*", ["GET /a", "GET /%2a"], ["GET /", "GET ", "GET /a/", "GET /a/b"]),
        ("GET /a/*", ["GET /a/b"], ["GET /a", "GET /a/", "GET /a/b/", "GET /a/b/c", "GET /b/a"]),
        (
            "GET /a/*/c", ["GET /a/b/c"],
            ["GET /a//c", "GET /a/b", "GET /a/b/d", "GET /a/b/c/", "GET /a/b/b/c"]
        ),
        ("GET /*/*", ["GET /a/b"], ["GET /a", "GET /a/", "GET /a/b/c"]),
        ("GET /**", ["GET /", "GET /a", "GET /a/b/", "GET //", "GET "], ["POST /"]),
        ("* /**", ["GET /", "X /a/b"], []),
        (
            "GET /a/**", ["GET /a", "GET /a/", "GET /a/b", "GET /a/b/c/"],
            ["GET /", "GET /ab", "GET /ab/c", "GET /b/a"]
        ),
        ("GET /a/*/**", ["GET /a/b", "GET /a/b/", "GET /a/b/c/d"], ["GET /a", "GET /a/", "GET /a//c"]),
        ("GET /a/b/**", ["GET /a/b", "GET /a/b/c"], ["GET /a", "GET /a/", "GET /a/bc"]),
    ]

    @Test(arguments: table)
    func `a pattern means these calls and no others`(
        _ pattern: String, _ means: [String], _ meansNot: [String]
    ) throws {
        for call in means { #expect(try matches(pattern, call), "\(call)") }
        for call in meansNot { #expect(try !matches(pattern, call), "\(call)") }
    }

    @Test(arguments: [
        ("", CallPattern.Invalid.notMethodAndPath), ("GET", .notMethodAndPath), ("/a", .notMethodAndPath),
        ("GET  /a", .notMethodAndPath), ("GET /a ", .notMethodAndPath), (" GET /a", .notMethodAndPath),
        ("GET /a /b", .notMethodAndPath), (" /a", .badMethod), ("G(T /a", .badMethod),
        ("GET,POST /a", .badMethod),
        ("GÉT /a", .badMethod), ("GET ", .pathWithoutSlash), ("GET a", .pathWithoutSlash),
        ("GET *", .pathWithoutSlash),
        ("GET https://a/b", .pathWithoutSlash), ("GET /**/a", .restNotLast), ("GET /**/", .restNotLast),
        ("GET /**/**", .restNotLast), ("GET /a*", .wildcardInsideSegment),
        ("GET /*a/b", .wildcardInsideSegment),
        ("GET /***", .wildcardInsideSegment), ("GET /a**/b", .wildcardInsideSegment),
    ])
    func `a pattern that is none says why`(_ pattern: String, _ expected: CallPattern.Invalid) {
        #expect(throws: expected) { try CallPattern(pattern) }
    }

    @Test func `a pattern is read into its parts`() throws {
        let pattern = try CallPattern("* /a//*/**")
        #expect(pattern.method == nil)
        #expect(pattern.segments == [.text(bytes("a")), .text([]), .one, .rest])
        #expect(try CallPattern("Get /").method == bytes("Get"))
    }
}
