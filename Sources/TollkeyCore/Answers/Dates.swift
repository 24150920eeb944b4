/// Dates as providers write them, in milliseconds since 1970.
package enum Dates {
    /// Bytes of a date that is read.
    package static let bytesMax = 64

    /// RFC 3339, an HTTP date, or seconds or milliseconds since 1970; nil for anything else.
    package static func milliseconds(_ text: String) -> Int64? {
        milliseconds(since1970: text) ?? milliseconds(rfc3339: text) ?? milliseconds(http: text)
    }

    /// A number of seconds or milliseconds, told apart by size: from 10¹¹ on they are milliseconds, which is 1973 as
    /// these and the year 5138 as seconds. From 10¹⁴ on it is neither: microseconds read as milliseconds would make a
    /// token live for ever.
    package static func milliseconds(since1970 text: String) -> Int64? {
        guard let thousandths = DecimalText.thousandths(text), thousandths >= 0 else { return nil }
        if thousandths < 100_000_000_000_000 { return thousandths }
        return thousandths < 100_000_000_000_000_000 ? thousandths / 1_000 : nil
    }

    /// RFC 3339 §5.6; also with a space for the `T`, and in a leap second. A time that says no offset is refused.
    package static func milliseconds(rfc3339 text: String) -> Int64? {
        guard text.utf8.count <= bytesMax else { return nil }
        var scanner = TextScanner(text)
        guard let year = scanner.takeNumber(digits: 4), scanner.take("-"),
            let month = scanner.takeNumber(digits: 2), scanner.take("-"),
            let day = scanner.takeNumber(digits: 2), scanner.take(anyOf: ["T", "t", " "]) != nil,
            let time = takeTime(&scanner)
        else { return nil }
        var civil = CivilTime(year, month, day, time.hour, time.minute, time.second)
        if scanner.take(".") {
            let digits = scanner.takeDigits()
            guard !digits.isEmpty else { return nil }
            civil.millisecond = (digits + [0, 0]).prefix(3).reduce(0) { $0 * 10 + Int($1) }
        }
        guard let offset = takeOffset(&scanner), scanner.isAtEnd, let local = civil.milliseconds else {
            return nil
        }
        return local - Int64(offset) * 60_000
    }

    /// Minutes ahead of UTC.
    private static func takeOffset(_ scanner: inout TextScanner) -> Int? {
        if scanner.take("Z") || scanner.take("z") { return 0 }
        guard let sign = scanner.take(anyOf: ["+", "-"]), let hours = scanner.takeNumber(digits: 2),
            scanner.take(":"), let minutes = scanner.takeNumber(digits: 2), hours < 24, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == 0 ? 1 : -1)
    }

    /// The three forms of RFC 9110 §5.6.7. A year of two digits is one from 1970 to 2069.
    package static func milliseconds(http text: String) -> Int64? {
        guard text.utf8.count <= bytesMax else { return nil }
        return milliseconds(imfFixdate: text) ?? milliseconds(rfc850: text) ?? milliseconds(asctime: text)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func milliseconds(imfFixdate text: String) -> Int64? {
        var scanner = TextScanner(text)
        guard scanner.take(anyOf: dayNames) != nil, scanner.take(", "),
            let day = scanner.takeNumber(digits: 2), scanner.take(" "),
            let month = scanner.take(anyOf: monthNames), scanner.take(" "),
            let year = scanner.takeNumber(digits: 4), scanner.take(" "),
            let time = takeTime(&scanner), scanner.take(" GMT"), scanner.isAtEnd
        else { return nil }
        return CivilTime(year, month + 1, day, time.hour, time.minute, time.second).milliseconds
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private static func milliseconds(rfc850 text: String) -> Int64? {
        var scanner = TextScanner(text)
        guard scanner.take(anyOf: longDayNames) != nil, scanner.take(", "),
            let day = scanner.takeNumber(digits: 2), scanner.take("-"),
            let month = scanner.take(anyOf: monthNames), scanner.take("-"),
            let year = scanner.takeNumber(digits: 2), scanner.take(" "),
            let time = takeTime(&scanner), scanner.take(" GMT"), scanner.isAtEnd
        else { return nil }
        let century = year < 70 ? 2000 : 1900
        return CivilTime(century + year, month + 1, day, time.hour, time.minute, time.second).milliseconds
    }

    /// `Sun Nov  6 08:49:37 1994`
    private static func milliseconds(asctime text: String) -> Int64? {
        var scanner = TextScanner(text)
        guard scanner.take(anyOf: dayNames) != nil, scanner.take(" "),
            let month = scanner.take(anyOf: monthNames), scanner.take(" ")
        else { return nil }
        let dayDigits = scanner.take(" ") ? 1 : 2
        guard let day = scanner.takeNumber(digits: dayDigits), scanner.take(" "),
            let time = takeTime(&scanner), scanner.take(" "),
            let year = scanner.takeNumber(digits: 4), scanner.isAtEnd
        else { return nil }
        return CivilTime(year, month + 1, day, time.hour, time.minute, time.second).milliseconds
    }

    private static func takeTime(_ scanner: inout TextScanner) -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = scanner.takeNumber(digits: 2), scanner.take(":"),
            let minute = scanner.takeNumber(digits: 2), scanner.take(":"),
            let second = scanner.takeNumber(digits: 2)
        else { return nil }
        return (hour, minute, second)
    }

    /// `2026-01-15T10:30:00Z`, what is behind the second cut off, the year between 0 and 9999.
    package static func rfc3339(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        let date = "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))"
        return "\(date)T\(clock(time))Z"
    }

    /// `Thu, 15 Jan 2026 10:30:00 GMT`, in the same bounds.
    package static func http(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        let date = "\(padded(time.day, 2)) \(monthNames[time.month - 1]) \(padded(time.year, 4))"
        return "\(dayNames[time.weekday]), \(date) \(clock(time)) GMT"
    }

    private static func clock(_ time: CivilTime) -> String {
        "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let longDayNames = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
