import Testing
import TollkeyCore

struct DatesTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-01-15T10:30:00Z", noon), ("2026-01-15t10:30:00z", noon),
        ("2026-01-15 10:30:00Z", noon), ("2026-01-15T10:30:00+00:00", noon),
        ("2026-01-15T10:30:00-00:00", noon), ("2026-01-15T12:30:00+02:00", noon),
        ("2026-01-14T23:00:00-11:30", noon), ("2026-01-15T10:30:00.5Z", noon + 500),
        ("2026-01-15T10:30:00.123456789Z", noon + 123), ("2026-01-15T10:30:00.0009+00:00", noon),
        ("2000-02-29T00:00:00Z", 951_782_400_000), ("1969-12-31T23:59:59.999Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ])
    func `RFC 3339 is read`(_ text: String, _ expected: Int64) {
        #expect(Dates.milliseconds(text) == expected)
        #expect(Dates.milliseconds(rfc3339: text) == expected)
    }

    @Test(arguments: [
        "Thu, 15 Jan 2026 10:30:00 GMT", "Thursday, 15-Jan-26 10:30:00 GMT", "Thu Jan 15 10:30:00 2026",
    ])
    func `the three forms of an HTTP date are read`(_ text: String) {
        #expect(Dates.milliseconds(text) == noon)
        #expect(Dates.milliseconds(http: text) == noon)
    }

    @Test func `an HTTP date may be long ago, and its day of one digit`() {
        let expected: Int64 = 784_111_777_000
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ] { #expect(Dates.milliseconds(text) == expected) }
        #expect(Dates.milliseconds(http: "Wednesday, 01-Jan-70 00:00:00 GMT") == 0)
        #expect(Dates.milliseconds(http: "Monday, 31-Dec-69 00:00:00 GMT") == 3_155_673_600_000)
    }

    @Test(arguments: [
        ("1768473000", noon), ("1768473000000", noon), ("1768473000.25", noon + 250),
        ("1.768473e9", noon), ("1.768473e12", noon), ("0", 0), ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000), ("99999999999999", 99_999_999_999_999), ("0001768473000", noon),
        ("1768473000.00000000000000000000000000000001", noon),
    ])
    func `numbers since 1970 are seconds or milliseconds, by their size`(_ text: String, _ expected: Int64) {
        #expect(Dates.milliseconds(text) == expected)
    }

    @Test(arguments: [
        "", " ", "soon", "-1", "+1", "1,5", "1_000", "0x10", "1e", "1.", ".5", "1e5x", "1 ",
        "100000000000000",
        "1e400", "99999999999999999999999999", "1e-", "2026-01-15", "2026-01-15T10:30:00",
        "2026-01-15T10:30Z", "2026-01-15T10:30:00+0200", "2026-01-15T10:30:00+24:00",
        "2026-01-15T10:30:00+00:60", "2026-01-15T10:30:00.Z", "2026-01-15T24:00:00Z", "2026-01-15T10:60:00Z",
        "2026-01-15T10:30:61Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-15T10:30:00Zx",
        "Thu, 15 Jan 2026 10:30:00", "Thu, 15 Jan 2026 10:30:00 UTC", "Thu, 15 jan 2026 10:30:00 GMT",
        "Thu, 32 Jan 2026 10:30:00 GMT", "Thu, 5 Jan 2026 10:30:00 GMT", "Xyz, 15 Jan 2026 10:30:00 GMT",
        "Thu Jan 15 10:30:00 2026 GMT", "Thursday, 15-Jan-2026 10:30:00 GMT", "２０２６-01-15T10:30:00Z",
    ])
    func `what is no date is nil`(_ text: String) {
        #expect(Dates.milliseconds(text) == nil)
    }

    @Test func `a text beyond the bound is no date`() {
        let zeros = String(repeating: "0", count: Dates.bytesMax - 21)
        #expect(Dates.milliseconds("2026-01-15T10:30:00.\(zeros)Z") == noon)
        #expect(Dates.milliseconds("2026-01-15T10:30:00.\(zeros)0Z") == nil)
        #expect(Dates.milliseconds(String(repeating: "0", count: 65)) == nil)
    }

    @Test func `dates are written to the second`() {
        #expect(Dates.rfc3339(noon) == "2026-01-15T10:30:00Z")
        #expect(Dates.http(noon) == noonDate)
        #expect(Dates.rfc3339(noon + 999) == "2026-01-15T10:30:00Z")
        #expect(Dates.rfc3339(-1) == "1969-12-31T23:59:59Z")
        #expect(Dates.http(-1) == "Wed, 31 Dec 1969 23:59:59 GMT")
        #expect(Dates.http(784_111_777_000) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test func `what has no year of four digits is written as the nearest that has`() {
        #expect(Dates.rfc3339(.min) == "0000-01-01T00:00:00Z")
        #expect(Dates.http(.min) == "Sat, 01 Jan 0000 00:00:00 GMT")
        #expect(Dates.rfc3339(.max) == "9999-12-31T23:59:59Z")
        #expect(Dates.http(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    @Test func `every day of four centuries and more is written as the day after the one before`() {
        let start = Dates.milliseconds("1895-12-31T00:00:00Z") ?? 0
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        var (year, month, day, weekday) = (1895, 12, 31, 2)
        for number in 0..<Int64(410 * 366) {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = [2: isLeap ? 29 : 28, 4: 30, 6: 30, 9: 30, 11: 30][month] ?? 31
            let time = start + number * 86_400_000 + 43_200_000
            let two = { (number: Int) in (number < 10 ? "0" : "") + String(number) }
            guard Dates.rfc3339(time) == "\(year)-\(two(month))-\(two(day))T12:00:00Z",
                Dates.http(time).hasPrefix("\(days[weekday]), \(two(day)) ")
            else {
                Issue.record(
                    "\(year)-\(month)-\(day) is written as \(Dates.rfc3339(time)), \(Dates.http(time))")
                return
            }
            weekday = (weekday + 1) % 7
            if day < length { day += 1 } else { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
    }

    @Test func `what is written is read as the same second`() {
        var dice = Dice(seed: 33)
        for _ in 0..<5_000 {
            let time = Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &dice)
            let second = (time >= 0 ? time : time - 999) / 1_000 * 1_000
            #expect(Dates.milliseconds(rfc3339: Dates.rfc3339(time)) == second)
            #expect(Dates.milliseconds(http: Dates.http(time)) == second)
        }
    }

    @Test func `changed dates give an answer`() {
        var dice = Dice(seed: 34)
        let samples = [
            "2026-01-15T10:30:00.5+02:00", noonDate, "Thu Jan  5 10:30:00 2026", "17684.73000e5",
            "Thursday, 15-Jan-26 10:30:00 GMT",
        ].map(bytes)
        for _ in 0..<5_000 {
            var sample = samples.randomElement(using: &dice) ?? []
            let at = Int.random(in: sample.indices, using: &dice)
            if Bool.random(using: &dice) { sample.remove(at: at) } else { sample[at] = UInt8(32 + at) }
            _ = Dates.milliseconds(text(sample))
        }
    }
}
