import Testing
import TollkeyCore

struct CategoryTableTests {
    /// A category for each list of patterns, by the name of its place.
    private func table(_ categories: [String]...) throws -> CategoryTable { try table(categories) }

    private func table(_ categories: [[String]]) throws -> CategoryTable {
        CategoryTable(
            try categories.enumerated().map { index, patterns in
                var category = CategorySettings(name: "c\(index)")
                category.match = try patterns.map { try CallPattern($0) }
                return category
            })
    }

    private func category(_ call: String, _ table: CategoryTable) -> Int? {
        let parts = call.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        return table.category(method: bytes(parts[0]).span, path: bytes(parts[1]).span)
    }

    @Test func `without patterns nothing has a category`() throws {
        for categories in [[], [[]], [[], []]] as [[[String]]] {
            let table = try table(categories)
            for call in ["GET /", "GET /a", "GET ", " /"] { #expect(category(call, table) == nil) }
        }
    }

    @Test func `text comes before one segment, and one segment before the rest`() throws {
        let table = try table(["* /a/b"], ["* /a/*"], ["* /*/b"], ["* /a/**"], ["* /*/**"], ["* /**"])
        let calls = [
            ("/a/b", 0), ("/a/c", 1), ("/x/b", 2), ("/a", 3), ("/a/", 3), ("/a/b/c", 3), ("/x/c", 4),
            ("/x", 4), ("/x/b/c", 4), ("/", 5), ("//", 5), ("//b", 5),
        ]
        for (path, expected) in calls { #expect(category("GET \(path)", table) == expected, "\(path)") }
    }

    @Test func `a path that ends comes before one that may go on`() throws {
        let table = try table(["* /a/**"], ["* /a"], ["* /a/"])
        #expect(category("GET /a", table) == 1)
        #expect(category("GET /a/", table) == 2)
        #expect(category("GET /a//", table) == 0)
    }

    @Test func `segments further left weigh more`() throws {
        let table = try table(["* /*/b/c/d"], ["* /a/*/*/**"], ["* /a/*/c/**"])
        #expect(category("GET /a/b/c/d", table) == 2)
        #expect(category("GET /a/b/x/d", table) == 1)
        #expect(category("GET /x/b/c/d", table) == 0)
    }

    @Test func `a named method comes before any`() throws {
        let table = try table(["* /a"], ["GET /a"], ["PUT /**"], ["* /**"])
        let calls = [
            ("GET /a", 1), ("POST /a", 0), ("PUT /a", 0), ("PUT /b", 2), ("GET /b", 3), ("get /a", 0),
        ]
        for (call, expected) in calls { #expect(category(call, table) == expected, "\(call)") }
    }

    @Test func `a path without the method gives way to the next that has it`() throws {
        let table = try table(
            ["GET /a/b/c"], ["POST /a/*/c"], ["PUT /*/b/*"], ["DELETE /a/**"], ["PATCH /**"])
        let methods = [("GET", 0), ("POST", 1), ("PUT", 2), ("DELETE", 3), ("PATCH", 4)]
        for (method, expected) in methods { #expect(category("\(method) /a/b/c", table) == expected) }
        #expect(category("HEAD /a/b/c", table) == nil)
    }

    @Test func `of two patterns that are alike the first stays`() throws {
        let table = try table(["GET /a", "* /b"], ["GET /a", "* /b", "* /a"])
        #expect(category("GET /a", table) == 0)
        #expect(category("GET /b", table) == 0)
        #expect(category("PUT /a", table) == 1)
    }

    @Test func `a match names the pattern`() throws {
        let table = try table(["GET /x"], ["* /a/*", "GET /**"])
        let match = table.match(method: bytes("PUT").span, path: bytes("/a/b").span)
        #expect(match?.category == 1)
        #expect(try match?.pattern == CallPattern("* /a/*"))
    }

    @Test func `bytes that only look alike are not the same segment`() throws {
        let table = try table(["GET /ab/c"], ["GET /a/bc"], ["GET /é"])
        let calls = [("GET /ab/c", 0), ("GET /a/bc", 1), ("GET /é", 2)]
        for (call, expected) in calls { #expect(category(call, table) == expected) }
        for call in ["GET /abc", "GET /AB/c", "GET /%61b/c", "GET /e\u{301}", "GET /ab/c/", "GET //ab/c"] {
            #expect(category(call, table) == nil, "\(call)")
        }
    }

    @Test func `a path of thousands of segments is matched, and so is the way back from it`() throws {
        let deep = String(repeating: "/a", count: 20_000)
        let table = try table(["GET \(deep)/b"], ["* /*/**"])
        #expect(category("GET \(deep)/b", table) == 0)
        #expect(category("GET \(deep)/c", table) == 1)
        #expect(category("PUT \(deep)/b", table) == 1)
    }

    @Test func `every combination of text and one segment is tried, and each once`() throws {
        let depth = 12
        let patterns = (0..<1 << depth).map { mask in
            "GET /" + (0..<depth).map { mask >> $0 & 1 == 0 ? "a" : "*" }.joined(separator: "/") + "/end"
        }
        let table = try table([patterns, ["* /**"]])
        let path = String(repeating: "/a", count: depth)
        #expect(category("GET \(path)/end", table) == 0)
        #expect(category("GET \(path)/other", table) == 1)
        #expect(
            table.match(method: bytes("GET").span, path: bytes("\(path)/end").span)?.pattern
                == (try CallPattern(patterns[0])))
    }

    @Test func `of ten thousand categories each is found`() throws {
        let count = CategorySettings.perProviderMax
        let table = try table((0..<count).map { ["GET /v1/r\($0)/*/items", "POST /v1/r\($0)/**"] })
        for index in stride(from: 0, to: count, by: 7) {
            #expect(category("GET /v1/r\(index)/x/items", table) == index)
            #expect(category("POST /v1/r\(index)", table) == index)
            #expect(category("PUT /v1/r\(index)", table) == nil)
        }
    }
}
