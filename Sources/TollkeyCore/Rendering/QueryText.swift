/// A query, parameter by parameter (`name=value` between `&`).
enum QueryText {
    /// Writes the parameters of `query`, which begins with its `?` or is empty, unless some server could read one of
    /// `names` in them: byte for byte, less those that are empty. The `?` is written with the first one.
    static func write(_ query: Span<UInt8>, without names: [[UInt8]], into out: Buffer) {
        var mark = UInt8(ascii: "?")
        var start = 1
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            let parameter = query.extracting(start..<end)
            if !parameter.isEmpty, !names.contains(where: { mayHold($0, parameter) }) {
                out.append(byte: mark)
                out.append(parameter)
                mark = UInt8(ascii: "&")
            }
            start = end + 1
        }
    }

    /// Whether `parameter` is named `name`, or a part of it for those who split at semicolons too.
    private static func mayHold(_ name: [UInt8], _ parameter: Span<UInt8>) -> Bool {
        var start = 0
        for end in 0...parameter.count where end == parameter.count || parameter[end] == UInt8(ascii: ";") {
            if isNamed(parameter.extracting(start..<end), name) { return true }
            start = end + 1
        }
        return false
    }

    /// Whether the name before `=` is `name` once it is decoded, a plus sign being a space as in forms. Some servers
    /// have no regard to case, or to white space in front, or to what follows a NUL or an opening bracket.
    private static func isNamed(_ parameter: Span<UInt8>, _ name: [UInt8]) -> Bool {
        var matched = 0
        var i = 0
        while i < parameter.count, parameter[i] != UInt8(ascii: "=") {
            var c = parameter[i]
            if c == UInt8(ascii: "+") {
                c = 0x20
            } else if c == UInt8(ascii: "%"), i + 2 < parameter.count,
                let high = Characters.hexValue(parameter[i + 1]),
                let low = Characters.hexValue(parameter[i + 2])
            {
                c = high << 4 | low
                i += 2
            }
            i += 1
            if matched < name.count, Characters.lowercased(name[matched]) == Characters.lowercased(c) {
                matched += 1
            } else if matched == name.count, c == 0 || c == UInt8(ascii: "[") {
                return true
            } else if matched > 0 || c != 0x20 {
                return false
            }
        }
        return matched == name.count
    }
}
