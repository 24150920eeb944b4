import Testing
import TollkeyCore

/// Against the plainest reading of the rules: hold every pattern against the call, take the most specific.
struct CategoryTablePropertyTests {
    @Test func `the table decides as every pattern held against the call would`() throws {
        var dice = Dice(seed: 41)
        var found = 0
        for round in 0..<1_500 {
            let categories = try categories(&dice)
            let table = CategoryTable(categories)
            for _ in 0..<12 {
                let method = method(&dice)
                let path = path(&dice)
                let expected = mostSpecific(categories, method, path)
                let match = table.match(method: method.span, path: path.span)
                #expect(table.category(method: method.span, path: path.span) == match?.category)
                found += match == nil ? 0 : 1
                guard match?.category == expected?.category, match?.pattern == expected?.pattern else {
                    Issue.record(
                        "\(round): \(text(method)) \(text(path)) is \(match as Any), not \(expected as Any)")
                    return
                }
            }
        }
        #expect(found > 5_000)
    }

    /// Few letters, so that patterns meet.
    private func categories(_ dice: inout Dice) throws -> [CategorySettings] {
        let density = Int.random(in: 1...40, using: &dice)
        return try (0..<Int.random(in: 0...density, using: &dice)).map { index in
            var category = CategorySettings(name: "c\(index)")
            category.match = try (0..<Int.random(in: 1...3, using: &dice)).map { _ in
                try CallPattern(pattern(&dice))
            }
            return category
        }
    }

    private func pattern(_ dice: inout Dice) -> String {
        var segments = (0..<Int.random(in: 0...4, using: &dice)).map { _ in
            ["a", "b", "*", "*", "", "ab"].randomElement(using: &dice) ?? ""
        }
        if segments.isEmpty || Int.random(in: 0..<3, using: &dice) == 0 {
            segments.append(Bool.random(using: &dice) ? "**" : "")
        }
        let method = ["GET", "PUT", "*", "*"].randomElement(using: &dice) ?? "*"
        return "\(method) /" + segments.joined(separator: "/")
    }

    private func method(_ dice: inout Dice) -> [UInt8] {
        bytes(["GET", "PUT", "HEAD", ""].randomElement(using: &dice) ?? "")
    }

    private func path(_ dice: inout Dice) -> [UInt8] {
        let segments = (0..<Int.random(in: 0...5, using: &dice)).map { _ in
            ["a", "b", "", "ab", "c", "*"].randomElement(using: &dice) ?? ""
        }
        return bytes("/" + segments.joined(separator: "/"))
    }
}
