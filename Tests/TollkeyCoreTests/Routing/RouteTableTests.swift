import Testing
import TollkeyCore

struct RouteTableTests {
    private func match(_ routes: RouteTable, _ path: String) -> [Int]? {
        routes.match(bytes(path).span).map { [$0.route, $0.prefixLength] }
    }

    @Test(
        arguments: [
            ("/a", [0, 2]), ("/a/", [0, 2]), ("/a/x/y", [0, 2]), ("/a/b", [1, 4]), ("/a/b/", [1, 4]),
            ("/a/b/x", [1, 4]),
            ("/a/bc", [0, 2]), ("/a/b/c/d", [3, 8]), ("/a/b/c/d/e", [3, 8]), ("/a/b/c", [1, 4]),
            ("/a//b", [0, 2]),
            ("/ab", [2, 3]), ("/ab/x", [2, 3]), ("/a%62", nil), ("/abc", nil), ("/A", nil), ("/", nil),
            ("", nil),
            ("//a", nil), ("/x/a", nil), ("/b", nil), ("/a;x", nil), ("*", nil), ("a", nil),
        ] as [(String, [Int]?)])
    func `the longest prefix of whole segments wins`(_ path: String, _ expected: [Int]?) {
        #expect(match(RouteTable(["/a", "/a/b", "/ab", "/a/b/c/d"]), path) == expected)
        #expect(
            match(RouteTable(["/a", "/a/b", "/ab", "/a/b/c/d", "/a", "/ab"]), path) == expected,
            "the first stays")
    }

    @Test func `a deep prefix alone is found`() {
        let routes = RouteTable(["/a/b/c"])
        #expect(match(routes, "/a/b/c/d") == [0, 6])
        #expect(match(routes, "/a/b") == nil)
    }

    @Test func `a table without routes finds nothing`() {
        for path in ["", "/", "/a/b"] { #expect(match(RouteTable([]), path) == nil) }
    }

    @Test func `five thousand routes are all found`() {
        let prefixes = (0..<5_000).map { $0.isMultiple(of: 3) ? "/p\($0)/v\($0 % 7)" : "/p\($0)" }
        let routes = RouteTable(prefixes)
        for (route, prefix) in prefixes.enumerated() {
            let expected = [route, prefix.utf8.count]
            guard match(routes, prefix) == expected, match(routes, prefix + "/x/y?") == expected,
                match(routes, prefix + "x") == nil
            else {
                Issue.record("\(prefix)")
                return
            }
        }
        #expect(match(routes, "/p5000") == nil)
    }
}
