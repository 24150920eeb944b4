import Testing
import TollkeyConfig
import TollkeyCore

struct LimitSettingsTests {
    @Test(arguments: [
        ("1/second", 1, Duration.seconds(1), "1/second"), ("60/minute", 60, .seconds(60), "60/minute"),
        ("1000/hour", 1_000, .seconds(3_600), "1000/hour"), ("7/day", 7, .seconds(86_400), "7/day"),
        ("5/90s", 5, .seconds(90), "5/90s"), ("5/1500ms", 5, .milliseconds(1_500), "5/1500ms"),
        ("5/60m", 5, .seconds(3_600), "5/hour"), ("5/24h", 5, .seconds(86_400), "5/day"),
        ("5/15m", 5, .seconds(900), "5/15m"),
        // At each bound.
        ("1/1s", 1, .seconds(1), "1/second"),
        ("1000000000/1s", 1_000_000_000, .seconds(1), "1000000000/second"),
        ("1/744h", 1, .seconds(31 * 86_400), "1/744h"), ("1/1000ms", 1, .seconds(1), "1/second"),
    ])
    func `a limit is calls and a window`(
        _ text: String, _ count: Int, _ window: Duration, _ short: String
    ) throws {
        let limit = try LimitSettings(parsing: text)
        #expect(limit == LimitSettings(count: count, window: window))
        #expect(limit.text == short)
    }

    private static let forms =
        "must be calls and a window, such as 1000/hour, 20/second, 60/minute, 10000/day or 5/90s"

    @Test(arguments: [
        ("", forms), ("1000", forms), ("/hour", forms), ("1000 / hour", forms), ("1000 per hour", forms),
        ("-1/hour", forms), ("010/hour", forms), ("1k/hour", forms), ("1_000/hour", forms),
        ("0/hour", "lets no call through; to refuse calls, leave them out of \"allow\""),
        ("1000000001/hour", "must be 1 to 1000000000 calls, and a window"),
        ("99999999999999999999/hour", "must be 1 to 1000000000 calls, and a window"),
        ("5/h", "has an unknown window; did you mean \"/hour\"?"),
        ("5/hours", "has an unknown window; did you mean \"/hour\"?"),
        ("5/min", "has an unknown window; did you mean \"/minute\"?"),
        ("5/Day", "has an unknown window; did you mean \"/day\"?"),
        (
            "5/fortnight",
            "has an unknown window; write 1000/hour, 20/second, 60/minute, 10000/day or 5/90s"
        ),
        ("5/", "has an unknown window; write 1000/hour, 20/second, 60/minute, 10000/day or 5/90s"),
        ("5/90", "has a window that needs a unit: ms, s, m or h, as in 90s"),
        ("5/week", "has an unknown window; write \"/168h\""),
        ("5/month", "has an unknown window; write \"/744h\""),
        ("5/d", "has an unknown window; did you mean \"/day\"?"),
        ("5/2d", "has a window that has an unknown unit; durations are in ms, s, m or h: write 48h"),
        ("5/999ms", "has a window that must be from 1s to 744h"),
        ("5/745h", "has a window that must be from 1s to 744h"),
    ])
    func `a limit that is none says what it must be`(_ text: String, _ expected: String) {
        #expect(throws: Misfit(expected)) { try LimitSettings(parsing: text) }
    }
}
