/// The little of RFC 8259 that problems and log lines need.
package enum JSON {
    /// `text` as a JSON string, quotes and all (§7).
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case let c where c.value < 0x20:
                let digits = String(c.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case let c: quoted.unicodeScalars.append(c)
            }
        }
        return quoted + "\""
    }
}
