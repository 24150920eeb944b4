/// A query, parameter by parameter (`name=value` between `&`).
enum QueryText {
    /// Writes the parameters of `query`, which begins with its `?` or is empty, unless their names are among `names`:
    /// byte for byte, less those that are empty. The `?` is written with the first one.
    static func write(_ query: Span<UInt8>, without names: [[UInt8]], into out: Buffer) {
        var mark = UInt8(ascii: "?")
        var start = 1
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            let parameter = query.extracting(start..<end)
            if !parameter.isEmpty, !names.contains(where: { isNamed(parameter, $0) }) {
                out.append(byte: mark)
                out.append(parameter)
                mark = UInt8(ascii: "&")
            }
            start = end + 1
        }
    }

    /// Whether the name before `=` is `name` once it is decoded, a plus sign being a space as in forms.
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
            guard matched < name.count, name[matched] == c else { return false }
            matched += 1
            i += 1
        }
        return matched == name.count
    }
}
