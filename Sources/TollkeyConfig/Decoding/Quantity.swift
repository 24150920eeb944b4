/// Durations and sizes as they are written in a file, both ways; and names as messages show them.
package enum Quantity {
    package static func duration(_ text: String) throws(Misfit) -> Duration {
        let (number, unit) = try split(
            text, expected: "must be a duration such as 250ms, 30s, 15m or 12h")
        switch unit {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3_600)
        case "": throw Misfit("needs a unit: ms, s, m or h, as in \(number)s")
        default:
            guard let hours = hours(unit) else {
                throw Misfit("has an unknown unit; durations are in ms, s, m or h")
            }
            throw Misfit("has an unknown unit; durations are in ms, s, m or h: write \(number * hours)h")
        }
    }

    /// Of units that people write and that are none here. A month is the longest one.
    static func hours(_ unit: some StringProtocol) -> Int? {
        switch unit {
        case "d", "day", "days": 24
        case "w", "week", "weeks": 7 * 24
        case "mo", "month", "months": 31 * 24
        default: nil
        }
    }

    /// Bytes.
    package static func size(_ text: String) throws(Misfit) -> Int {
        let (number, unit) = try split(text, expected: "must be a size such as 65536, 64KiB, 10MiB or 1GiB")
        switch unit {
        case "", "B": return number
        case "KiB": return number << 10
        case "MiB": return number << 20
        case "GiB": return number << 30
        default: throw Misfit("has an unknown unit; sizes are in KiB, MiB, GiB or plain bytes")
        }
    }

    /// `1m`, `250ms`: in the largest unit that leaves no rest.
    package static func duration(_ value: Duration) -> String {
        let (seconds, attoseconds) = value.components
        if attoseconds != 0 { return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds != 0, seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
        if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// `64KiB`: in the largest unit that leaves no rest.
    package static func size(_ bytes: Int) -> String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        where bytes != 0 && bytes % (1 << shift) == 0 { return "\(bytes >> shift)\(unit)" }
        return "\(bytes)"
    }

    /// A key for a message. Odd ones are not repeated: in `{api_key:hunter2}`, without the space, the key is
    /// the secret.
    static func quoted(_ name: String) -> String { isName(name) ? "\"\(name)\"" : "this key" }

    static func isName(_ name: String) -> Bool {
        (1...Bounds.nameLength).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Digits and what follows them. At most ten digits, so that no unit overflows.
    private static func split(_ text: String, expected: String) throws(Misfit) -> (Int, Substring) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { throw Misfit(expected) }
        guard digits.utf8.count <= 10, let number = Int(digits) else { throw Misfit("is too large") }
        return (number, text[digits.endIndex...])
    }
}
