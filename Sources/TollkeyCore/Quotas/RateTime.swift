/// When a limit ends, as providers write it.
enum RateTime {
    /// Nobody is held back longer.
    static let spanMax: Duration = .seconds(31 * 86_400)

    /// How long from `now`, in milliseconds since 1970; zero when it is over, nil when the text says no time.
    ///
    /// A number's size against now tells what it is. Below half of now's seconds, some 28 years, it is the seconds that
    /// are left; up to twice of now's seconds it is seconds since 1970; between half and twice of now's milliseconds
    /// it is milliseconds since 1970; anything else is nonsense. So for `X-RateLimit-Reset`, which means each of the
    /// three somewhere, and for the fields that ought to hold the seconds that are left: a pause of 28 years is a
    /// moment that somebody put into the wrong field. Cloudflare sends an HTTP date in `X-RateLimit-Reset`.
    static func span(_ text: Span<UInt8>, now: Int64) -> Duration? {
        if let thousandths = PlainNumber.thousandths(text) { return span(thousandths: thousandths, now: now) }
        guard let date = date(text) else { return nil }
        return span(until: date, now: now)
    }

    static func span(thousandths: Int64, now: Int64) -> Duration? {
        // A clock before 2001 is wrong, and tells nothing apart.
        let now = max(now, 1_000_000_000_000)
        if thousandths < now / 2 { return capped(milliseconds: thousandths) }
        if thousandths / 2 < now { return span(until: thousandths, now: now) }
        let milliseconds = thousandths / 1_000
        guard milliseconds >= now / 2, milliseconds / 2 < now else { return nil }
        return span(until: milliseconds, now: now)
    }

    /// As `span`, for `Retry-After`: seconds that no number holds are very many (RFC 9111 §1.2.2).
    static func wait(_ text: Span<UInt8>, now: Int64) -> Duration? {
        if let span = span(text, now: now) { return span }
        for i in text.indices where !Characters.isDigit(text[i]) { return nil }
        return text.isEmpty ? nil : spanMax
    }

    /// Seconds that are left, and nothing else.
    static func seconds(_ text: Span<UInt8>) -> Duration? {
        PlainNumber.thousandths(text).map { capped(milliseconds: $0) }
    }

    /// Milliseconds since 1970 of an HTTP date, or one after RFC 3339.
    static func date(_ text: Span<UInt8>) -> Int64? {
        guard text.count <= Dates.bytesMax else { return nil }
        if let date = fixdate(text) { return date }
        let text = String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
        return Dates.milliseconds(http: text) ?? Dates.milliseconds(rfc3339: text)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` in place: a `Date` stands in nearly every answer.
    private static func fixdate(_ text: Span<UInt8>) -> Int64? {
        guard text.count == 29, text[3] == UInt8(ascii: ","), text[7] == 0x20, text[11] == 0x20,
            text[16] == 0x20, text[19] == UInt8(ascii: ":"), text[22] == UInt8(ascii: ":"),
            text.extracting(25..<29).equalsIgnoringCase(" gmt"),
            let day = number(text, 5..<7), let month = month(text.extracting(8..<11)),
            let year = number(text, 12..<16), let hour = number(text, 17..<19),
            let minute = number(text, 20..<22), let second = number(text, 23..<25)
        else { return nil }
        return CivilTime(year, month, day, hour, minute, second).milliseconds
    }

    private static func number(_ text: Span<UInt8>, _ digits: Range<Int>) -> Int? {
        var number = 0
        for i in digits {
            guard Characters.isDigit(text[i]) else { return nil }
            number = number * 10 + Int(text[i] - UInt8(ascii: "0"))
        }
        return number
    }

    private static func month(_ name: Span<UInt8>) -> Int? {
        let names: StaticString = "janfebmaraprmayjunjulaugsepoctnovdec"
        for month in 0..<12 {
            let start = names.utf8Start + month * 3
            if (0..<3).allSatisfy({ Characters.lowercased(name[$0]) == start[$0] }) { return month + 1 }
        }
        return nil
    }

    private static func span(until date: Int64, now: Int64) -> Duration {
        let (span, isOver) = date.subtractingReportingOverflow(now)
        return capped(milliseconds: isOver ? (date < 0 ? 0 : .max) : max(0, span))
    }

    private static func capped(milliseconds: Int64) -> Duration { min(.milliseconds(milliseconds), spanMax) }
}
