import Testing
import TollkeyCore

struct CallPatternSetsTests {
    @Test(arguments: [
        ("GET /a", "GET /a", true), ("GET /a", "* /a", true), ("* /a", "* /a", true),
        ("GET /a", "POST /a", false), ("GET /a", "get /a", false), ("GET /a", "GET /b", false),
        ("GET /a", "GET /a/b", false), ("GET /a", "GET /a/", false), ("GET /", "GET /a", false),
        ("GET /*", "GET /a", true), ("GET /*", "GET /", false), ("GET /*", "GET /*", true),
        ("GET /*", "GET /a/b", false), ("GET /a/*", "GET /*/b", true), ("GET /a/*", "GET /b/*", false),
        ("GET /a/*", "GET /a/", false), ("GET /a/*/c", "GET /a/b/*", true),
        ("GET /**", "GET /", true), ("GET /**", "POST /a", false), ("* /**", "GET /a/b", true),
        ("GET /a/**", "GET /a", true), ("GET /a/**", "GET /a/b/c", true), ("GET /a/**", "GET /b", false),
        ("GET /a/**", "GET /*/b/**", true), ("GET /a/b/**", "GET /a/c/**", false),
        ("GET /a/**", "GET /*", true), ("GET /a/*/**", "GET /a", false), ("GET /a/*/**", "GET /a/", false),
    ])
    func `two patterns overlap when some call is meant by both`(
        _ one: String, _ other: String, _ expected: Bool
    ) throws {
        let (one, other) = (try CallPattern(one), try CallPattern(other))
        #expect(one.overlaps(other) == expected)
        #expect(other.overlaps(one) == expected)
    }

    /// All patterns and paths of up to three segments, against each other.
    @Test func `patterns overlap, and cover one another, exactly when calls show it`() throws {
        let words = ["a", "b", "*", ""]
        var paths = [""]
        var patterns: [CallPattern] = []
        var calls: [[UInt8]] = []
        for _ in 0..<3 {
            paths = paths.flatMap { path in words.map { "\(path)/\($0)" } }
            for path in paths {
                patterns.append(try CallPattern("* \(path)"))
                if !path.contains("*") { calls.append(bytes(path)) }
            }
        }
        for path in ["", "/a", "/b", "/*", "/", "/a/*", "/*/b"] {
            patterns.append(try CallPattern("* \(path)/**"))
        }
        for one in patterns {
            for other in patterns {
                let isShown = calls.contains { one.means($0) && other.means($0) }
                #expect(one.overlaps(other) == isShown, "\(one.text) and \(other.text)")
                let both = one.intersection(other)
                #expect((both != nil) == isShown)
                let isCovered = calls.allSatisfy { call in
                    let (isOne, isOther) = (one.means(call), other.means(call))
                    if (isOne && isOther) != (both?.means(call) ?? false) {
                        Issue.record("\(one.text) and \(other.text)")
                    }
                    return isOne || !isOther
                }
                #expect(one.covers(other) == isCovered, "\(one.text) and \(other.text)")
            }
        }
    }

    @Test(arguments: ["GET /", "* /**", "POST /a/*/b", "GET /a//", "* /%2a/**", "X-Y /a.b"])
    func `a pattern's text is what it was parsed from`(_ text: String) throws {
        #expect(try CallPattern(text).text == text)
    }

    @Test(arguments: [
        ("TRACE /a", false), ("CONNECT /**", false), ("* /a", true), ("GET /a", true), ("TRACES /a", true),
    ])
    func `TRACE and CONNECT are never forwarded`(_ text: String, _ expected: Bool) throws {
        #expect(try CallPattern(text).canBeForwarded == expected)
    }
}

extension CallPattern {
    fileprivate func means(_ path: [UInt8]) -> Bool { matches(method: bytes("GET").span, path: path.span) }
}
