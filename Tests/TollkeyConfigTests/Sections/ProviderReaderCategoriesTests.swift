import Testing
import TollkeyConfig
import TollkeyCore

struct ProviderReaderCategoriesTests {
    private func categories(_ lines: String, further: String = "") throws -> [CategorySettings] {
        try provider(Self.file(lines, further)).categories
    }

    /// The first line is line 5 and its first column 7.
    private func problems(_ lines: String, further: String = "") -> [String] {
        providerProblems(Self.file(lines, further))
    }

    private static func file(_ lines: String, _ further: String) -> String {
        let indented = lines.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        return "upstream: https://a.test\ncategories:\n\(indented)\n\(further)"
    }

    @Test func `every key lands in its setting, and the order of the file is kept`() throws {
        let all = try categories(
            """
            writes:
              match: ["POST /a/**", "* /b"]
              limit: [20/second, 1000/hour]
              on_limit: wait
              wait_max: 2s
              waiting: 7
              retry_after_max: 15m
            reads: {match: "GET /**", limit: 5/90s}
            free: {match: "GET /free"}
            free-too: {match: "GET /too", limit: none}
            """)
        var writes = CategorySettings(name: "writes")
        writes.match = [try CallPattern("POST /a/**"), try CallPattern("* /b")]
        writes.limits = [
            LimitSettings(count: 20, window: .seconds(1)),
            LimitSettings(count: 1_000, window: .seconds(3_600)),
        ]
        (writes.onLimit, writes.waitMax, writes.waiting) = (.wait, .seconds(2), 7)
        writes.retryAfterMax = .seconds(900)
        var reads = CategorySettings(name: "reads")
        reads.match = [try CallPattern("GET /**")]
        reads.limits = [LimitSettings(count: 5, window: .seconds(90))]
        var free = CategorySettings(name: "free")
        free.match = [try CallPattern("GET /free")]
        var freeToo = CategorySettings(name: "free-too")
        freeToo.match = [try CallPattern("GET /too")]
        #expect(all == [writes, reads, free, freeToo])
    }

    @Test(arguments: [
        ("wait_max: 0s", true), ("wait_max: 1h", true), ("wait_max: 3601s", false), ("waiting: 0", true),
        ("waiting: 1000000", true), ("waiting: 1000001", false), ("retry_after_max: 1s", true),
        ("retry_after_max: 999ms", false), ("retry_after_max: 744h", true), ("retry_after_max: 745h", false),
        ("limit: [10/1s, 11/2s, 12/3s, 13/4s, 14/5s, 15/6s, 16/7s, 17/8s]", true),
        ("limit: [10/1s, 11/2s, 12/3s, 13/4s, 14/5s, 15/6s, 16/7s, 17/8s, 18/9s]", false),
    ])
    func `what is at a bound is good, one past it a problem`(_ line: String, _ isGood: Bool) {
        #expect(problems("all: {match: \"GET /**\", \(line)}").count == (isGood ? 0 : 1))
    }

    @Test func `a category has up to a thousand patterns`() throws {
        func match(_ count: Int) -> String {
            let patterns = (1...count).map { "\"GET /\($0)\"" }
            return "all: {match: [\(patterns.joined(separator: ", "))]}"
        }
        #expect(try categories(match(1_000))[0].match.count == 1_000)
        #expect(
            problems(match(1_001)) == ["5:20: \"match\" has more than 1000 entries; shorten it"])
    }

    @Test func `a provider has up to ten thousand categories`() throws {
        func lines(_ count: Int) -> String {
            (1...count).map { "c\($0): {match: \"GET /\($0)\"}" }.joined(separator: "\n")
        }
        #expect(try categories(lines(10_000)).count == 10_000)
        #expect(
            problems(lines(10_001)) == ["4:5: \"categories\" has more than 10000 entries; shorten it"])
    }

    @Test(arguments: [
        (
            "all: {match: \"GET /\", limt: 1/hour}",
            "5:29: \"limt\" is an unknown key; did you mean \"limit\"?"
        ),
        (
            "all: {limit: 1/hour}",
            """
            5:7: a category needs "match"; say which calls it is for, as in match: "GET /**"
            """
        ),
        ("all: {match: []}", "5:20: \"match\" is an empty list; name one, or take the key out"),
        (
            "all: {match: GET}",
            "5:20: \"match\" must be a method, one space and a path, such as \"GET /payments/**\""
        ),
        (
            "all: {match: \"GET /\", limit: lots}",
            """
            5:36: "limit" must be calls and a window, such as 1000/hour, 20/second, 60/minute, 10000/day or 5/90s
            """
        ),
        (
            "all: {match: \"GET /\", limit: 1000}",
            """
            5:36: "limit" must be calls and a window, such as 1000/hour, 20/second, 60/minute, 10000/day or 5/90s
            """
        ),
        (
            "all: {match: \"GET /\", limit: 5/days}",
            "5:36: \"limit\" has an unknown window; did you mean \"/day\"?"
        ),
        (
            "all: {match: \"GET /\", limit: []}",
            "5:36: \"limit\" is an empty list; name one, or take the key out"
        ),
        (
            "all: {match: \"GET /\", limit: [1/second, none]}",
            """
            5:47: "limit" must be calls and a window, such as 1000/hour, 20/second, 60/minute, 10000/day or 5/90s
            """
        ),
        (
            "all: {match: \"GET /\", on_limit: queue}",
            "5:39: \"on_limit\" must be one of reject, wait"
        ),
        (
            "all: {match: \"GET /\", limit: [10/hour, 20/60m]}",
            "5:46: \"limit\" has two for windows of one length; keep the stricter one"
        ),
        (
            "all: {match: \"GET /\", limit: [100/minute, 50/hour]}",
            "5:37: \"limit\" has 100/minute, which can never be reached beside 50/hour; take it out, or lower it"
        ),
        (
            "all: {match: \"GET /\", limit: [50/day, 50/hour]}",
            "5:45: \"limit\" has 50/hour, which can never be reached beside 50/day; take it out, or lower it"
        ),
        (
            "all: {match: \"GET /\", limit: [1/second, 3600/hour]}",
            "5:47: \"limit\" has 3600/hour, which can never be reached beside 1/second; take it out, or lower it"
        ),
        (
            "all: {match: \"GET /\", limit: [39/90s, 3/7s]}",
            "5:37: \"limit\" has 39/90s, which can never be reached beside 3/7s; take it out, or lower it"
        ),
        (
            "all: {match: \"GET /\", on_limit: wait, wait_max: 0s}",
            "5:45: \"wait_max\" lets no call wait, and \"on_limit\" says wait; raise it, or say reject"
        ),
        (
            "all: {match: \"GET /\", waiting: 0, on_limit: wait}",
            "5:29: \"waiting\" lets no call wait, and \"on_limit\" says wait; raise it, or say reject"
        ),
        ("all: {match: [\"GET /\", \"GET /\"]}", "5:30: \"match\" has this pattern twice; keep one of them"),
        (
            "all: {match: \"TRACE /\"}",
            """
            5:7: no call can reach the category "all": TRACE and CONNECT are never forwarded; take it out
            """
        ),
        (
            "\"a b\": {match: \"GET /\"}",
            "5:7: the name of a category is 1 to 64 letters, digits, \"_\" and \"-\"; rename this one"
        ),
        ("all: ~", "5:12: \"all\" must be a map (\"key: value\" lines below it); found nothing"),
        ("all:", "5:7: a category has nothing below its name; fill it in, or take it out"),
    ])
    func `a wrong value is a problem at its place`(_ line: String, _ expected: String) {
        #expect(problems(line) == [expected])
    }

    @Test func `limits that all can be reached are good`() throws {
        let limits = try categories("all: {match: \"GET /\", limit: [51/hour, 20/second, 50/minute, 52/day]}")
        #expect(limits[0].limits.count == 4)
        for limit in ["[1/second, 3599/hour]", "[38/90s, 3/7s]"] {
            #expect(problems("all: {match: \"GET /\", limit: \(limit)}") == [], "\(limit)")
        }
    }

    @Test func `a pattern in two categories is a problem that names both places`() {
        #expect(
            problems("one: {match: \"GET /a/*\"}\ntwo: {match: [\"* /a/*\", \"GET /a/*\"]}") == [
                """
                6:31: "match" has a pattern of the category "one" too, at proxy.yaml:5:20, and a call counts in one; \
                keep one of them
                """
            ])
    }

    private static let unreachable = """
        5:7: no call can reach the category "all": "allow" has no pattern for any call that it is for; add one there, \
        or take the category out
        """

    @Test(arguments: [
        ("\"GET /b/**\"", "\"GET /a/**\"", false), ("\"POST /a\"", "\"GET /a/**\"", false),
        ("\"* /a\"", "\"TRACE /a\"", false), ("[\"GET /b\", \"TRACE /a\"]", "\"* /a\"", false),
        ("\"GET /a/*\"", "\"* /*/b\"", true),
        ("[\"GET /b\", \"GET /a\"]", "[\"POST /**\", \"GET /a\"]", true),
    ])
    func `a category that nothing of allow can reach is a problem`(
        _ match: String, _ allow: String, _ isReached: Bool
    ) {
        let found = problems("all: {match: \(match)}", further: "allow: \(allow)")
        #expect(found == (isReached ? [] : [Self.unreachable]))
    }

    private static let taken = """
        no call can reach the category "all": what "allow" has of it counts in "one", which is more specific; add to \
        "allow", or take the category out
        """

    @Test(arguments: [
        ("GET /x/**", "GET /x/y", "\"GET /x/y\"", false), ("GET /x/**", "GET /x/*", "\"GET /x/*\"", false),
        ("GET /**", "* /x/**", "[\"GET /x/**\", \"GET /x/y\"]", false),
        ("* /x", "GET /x", "\"GET /x\"", false), ("GET /**", "GET /x/**", "\"GET /*/y\"", true),
        ("GET /x/**", "GET /x/y", "\"GET /x/*\"", true), ("GET /x/**", "GET /x/*", "\"GET /x/**\"", true),
        ("GET /x/**", "GET /x/*/**", "\"GET /x/**\"", true), ("* /x", "GET /x", "\"* /x\"", true),
        ("GET /x/**", "GET /x/y", "[\"GET /x/y\", \"GET /x/z\"]", true),
    ])
    func `a category whose every allowed call counts in a more specific one is a problem`(
        _ match: String, _ other: String, _ allow: String, _ isReached: Bool
    ) {
        let lines = "all: {match: \"\(match)\"}\none: {match: \"\(other)\"}"
        let further = "allow: \(allow)"
        #expect(problems(lines, further: further) == (isReached ? [] : ["5:7: \(Self.taken)"]))
        // Calls of the proxy's own need no `allow`.
        let probe = "probe: {get: /me, authenticated: true}\ninject: {X-Key: key}"
        #expect(problems(lines, further: "\(further)\n\(probe)") == [])
    }

    @Test func `nothing is said about reach while allow is wrong`() {
        let found = problems("all: {match: \"GET /b\"}", further: "allow: [\"GET /a\", GET]")
        #expect(found.count == 1 && found[0].contains("\"allow\""))
    }

    // MARK: Over a description

    private func piaxis(_ lines: String) -> String {
        "use: piaxis\nsecrets: {api_key: \"${env:KEY}\"}\n" + lines
    }

    @Test func `categories lie over a description's by name`() throws {
        let all = try provider(
            piaxis(
                """
                categories:
                  reads: {limit: [20/second, 5000/hour], on_limit: wait}
                  escrow: ~
                  payouts: {match: "POST /api/payouts", limit: 5/hour}
                """)
        ).categories
        #expect(all.map(\.name) == ["authentication", "payments", "reads", "payouts"])
        #expect(all[2].limits.map(\.text) == ["20/second", "5000/hour"])
        #expect(all[2].onLimit == .wait && all[2].match.count == 5)
    }

    @Test func `a limit of a description's can be taken away`() throws {
        for none in ["~", "none"] {
            let all = try provider(piaxis("categories: {reads: {limit: \(none)}}")).categories
            #expect(all.last?.name == "reads" && all.last?.limits == [])
        }
    }

    @Test func `a pattern of a description's is a problem at the user's line`() throws {
        let found = providerProblems(piaxis("categories: {mine: {match: \"* /api/escrow/**\"}}"))
        #expect(found.count == 1)
        #expect(
            found[0].hasPrefix(
                "5:32: \"match\" has a pattern of the category \"escrow\" too, at shipped:piaxis:"))
        #expect(
            found[0].hasSuffix(
                "take this one out, or that category away with categories: {escrow: ~}"))
        // A description's category that comes later.
        let earlier = providerProblems(piaxis("categories: {payments: {match: \"* /api/escrow/**\"}}"))
        #expect(earlier.count == 1)
        #expect(earlier[0].hasPrefix("5:36: \"match\" has a pattern of the category \"escrow\" too"))
    }

    @Test func `who allows less than a description has categories for has no problem`() throws {
        #expect(try provider(piaxis("allow: [\"POST /api/payments/**\"]")).categories.count == 4)
        let found = providerProblems(
            piaxis("allow: [\"POST /api/payments/**\"]\ncategories: {escrow: {limit: 5/hour}}"))
        #expect(found.count == 1 && found[0].hasPrefix("6:18: no call can reach the category \"escrow\""))
    }
}
