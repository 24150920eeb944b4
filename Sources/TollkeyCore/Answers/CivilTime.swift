/// A moment as the Gregorian calendar and a clock in UTC show it, in the years 0 to 9999.
struct CivilTime {
    var year: Int
    /// From 1.
    var month: Int
    /// From 1.
    var day: Int
    var hour: Int
    var minute: Int
    /// 60 in a leap second, which counts as the first second of the next minute.
    var second: Int
    var millisecond = 0

    /// Milliseconds since 1970; nil when there is no such day or time.
    var milliseconds: Int64? {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.monthEnd(month, year) - Self.monthEnd(month - 1, year),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let days =
            Self.days(before: year) + Self.monthEnd(month - 1, year) + day - 1 - Self.days(before: 1970)
        let seconds = (days * 24 + hour) * 3_600 + minute * 60 + second
        return Int64(seconds) * 1_000 + Int64(millisecond)
    }

    /// What lies outside the years 0 to 9999 becomes their first or last moment.
    init(milliseconds: Int64) {
        let first = -Int64(Self.days(before: 1970)) * 86_400_000
        let last = Int64(Self.days(before: 10_000)) * 86_400_000 - 1
        let sinceYear0 = Int(min(max(milliseconds, first), first + last) - first)
        let (days, time) = sinceYear0.quotientAndRemainder(dividingBy: 86_400_000)
        // 146,097 days are 400 years; a year that is one too early or too late is set right.
        year = days * 400 / 146_097
        if Self.days(before: year) > days { year -= 1 }
        if Self.days(before: year + 1) <= days { year += 1 }
        let dayOfYear = days - Self.days(before: year)
        month = 1
        while Self.monthEnd(month, year) <= dayOfYear { month += 1 }
        day = dayOfYear - Self.monthEnd(month - 1, year) + 1
        hour = time / 3_600_000
        minute = time / 60_000 % 60
        second = time / 1_000 % 60
        millisecond = time % 1_000
    }

    init(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// From 0, which is Sunday. The year 0 began on a Saturday.
    var weekday: Int { (Self.days(before: year) + Self.monthEnd(month - 1, year) + day + 5) % 7 }

    /// Days from the beginning of the year 0 to that of `year`.
    private static func days(before year: Int) -> Int {
        year * 365 + (year + 3) / 4 - (year - 1) / 100 + (year - 1) / 400
    }

    /// Days from the beginning of the year to the end of a month, 0 for month 0.
    private static func monthEnd(_ month: Int, _ year: Int) -> Int {
        let ends = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return ends[min(max(month, 0), 12)] + (isLeap && month > 1 ? 1 : 0)
    }
}
