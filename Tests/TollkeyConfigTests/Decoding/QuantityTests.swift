import Testing
import TollkeyConfig

struct QuantityTests {
    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("0s", .zero), ("30s", .seconds(30)), ("15m", .seconds(900)),
        ("12h", .seconds(43_200)), ("9999999999h", .seconds(35_999_999_996_400)),
    ])
    func `durations have a unit`(_ text: String, _ expected: Duration) throws {
        #expect(try Quantity.duration(text) == expected)
    }

    @Test(arguments: ["", "s", "-1s", "1.5s", "1 s", "1d", "1S", "10000000000h", "1h30m", "٣s", "+1s"])
    func `other durations are refused`(_ text: String) {
        #expect(throws: Misfit.self) { try Quantity.duration(text) }
    }

    @Test(arguments: [("1d", 24), ("3days", 72), ("2w", 336), ("1month", 744)])
    func `who writes days, weeks or months is told the hours`(_ text: String, _ hours: Int) {
        let words = "has an unknown unit; durations are in ms, s, m or h: write \(hours)h"
        #expect(throws: Misfit(words)) { try Quantity.duration(text) }
    }

    @Test(arguments: [
        ("0", 0), ("1500", 1_500), ("1500B", 1_500), ("64KiB", 65_536), ("10MiB", 10_485_760),
        ("4GiB", 4_294_967_296), ("9999999999GiB", 9_999_999_999 << 30),
    ])
    func `sizes are bytes or in binary units`(_ text: String, _ expected: Int) throws {
        #expect(try Quantity.size(text) == expected)
    }

    @Test(arguments: ["", "KiB", "64KB", "64k", "64 KiB", "-1", "1.5MiB", "99999999999"])
    func `other sizes are refused`(_ text: String) {
        #expect(throws: Misfit.self) { try Quantity.size(text) }
    }

    @Test func `quantities are written as they are read`() throws {
        for text in ["250ms", "1s", "90s", "15m", "24h", "0s"] {
            #expect(Quantity.duration(try Quantity.duration(text)) == text)
        }
        for text in ["0", "1500", "64KiB", "10MiB", "4GiB"] {
            #expect(Quantity.size(try Quantity.size(text)) == text)
        }
    }
}
