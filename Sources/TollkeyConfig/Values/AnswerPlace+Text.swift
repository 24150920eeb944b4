package import TollkeyCore

extension AnswerPlace {
    /// Parses `data.items[0].id` and `data["odd.name"]` for JSON, `@header.NAME` and `@content`.
    package static func parse(_ text: String) throws(Misfit) -> AnswerPlace {
        guard text.utf8.first == UInt8(ascii: "@") else { return .json(try steps(text)) }
        if text == "@content" { return .content }
        let name = text.dropFirst("@header.".count)
        guard text.hasPrefix("@header."), (1...Bounds.headerNameBytes).contains(name.utf8.count),
            name.utf8.allSatisfy({ Characters.isToken($0) })
        else {
            throw Misfit(
                """
                is no place: "@" begins @header.NAME and @content; a JSON field of that name is written \
                ["@name"]
                """)
        }
        return .header(name.lowercased())
    }

    /// A place in JSON: names with dots between them, numbers and odd names in brackets.
    package static func steps(_ text: String) throws(Misfit) -> [Step] {
        guard !text.isEmpty else { throw Misfit("is empty; name a place such as data.token") }
        guard text.utf8.count <= Bounds.placeBytes else {
            throw Misfit("is longer than \(Bounds.placeBytes) bytes")
        }
        if text.hasPrefix("$.") { throw Misfit("needs no \"$.\"; begin with the first name") }
        var steps: [Step] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            if rest.first == UInt8(ascii: "[") {
                steps.append(try bracketed(&rest))
            } else {
                if !steps.isEmpty {
                    guard rest.removeFirst() == UInt8(ascii: ".") else { throw misshapen }
                }
                steps.append(try member(&rest))
            }
        }
        guard steps.count <= Bounds.placeSteps else {
            throw Misfit("goes more than \(Bounds.placeSteps) levels deep")
        }
        return steps
    }

    private static let misshapen = Misfit(
        "is no place; write names with dots between them, as in data.items[0].id, and odd ones as [\"odd.name\"]"
    )

    private static func member(_ rest: inout ArraySlice<UInt8>) throws(Misfit) -> Step {
        let name = rest.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
        let isOdd: (UInt8) -> Bool = { $0 <= 0x20 || $0 == 0x7f || "]\"'".utf8.contains($0) }
        guard !name.isEmpty, !name.contains(where: isOdd) else { throw misshapen }
        rest = rest[name.endIndex...]
        return .member(String(decoding: name, as: UTF8.self))
    }

    /// `[0]` or `["odd.name"]`; a name cannot hold a quote.
    private static func bracketed(_ rest: inout ArraySlice<UInt8>) throws(Misfit) -> Step {
        let inside = rest.dropFirst()
        if inside.first == UInt8(ascii: "\"") {
            let name = inside.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
            guard !name.isEmpty, !name.contains(where: { $0 < 0x20 || $0 == 0x7f }),
                rest[name.endIndex...].starts(with: "\"]".utf8)
            else { throw misshapen }
            rest = rest[(name.endIndex + 2)...]
            return .member(String(decoding: name, as: UTF8.self))
        }
        let digits = inside.prefix(while: Characters.isDigit)
        guard (1...6).contains(digits.count), rest[digits.endIndex...].first == UInt8(ascii: "]"),
            let index = Int(String(decoding: digits, as: UTF8.self))
        else { throw misshapen }
        rest = rest[(digits.endIndex + 1)...]
        return .element(index)
    }
}
