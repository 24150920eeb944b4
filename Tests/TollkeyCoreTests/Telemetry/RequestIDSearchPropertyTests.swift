import Testing
import TollkeyCore

/// The scanner against the reader of whole texts, on documents that chance has written.
struct RequestIDSearchPropertyTests {
    private static let names = ["id", "meta", "request_id", "é\"\u{1f600}"]

    private static func space(_ dice: inout Dice) -> String {
        [" ", "\n", "\t", "\r\n  ", "", "", "", ""].randomElement(using: &dice) ?? ""
    }

    private static func string(_ text: String, _ dice: inout Dice) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar == "\"" || scalar == "\\" || scalar.value < 0x20
            if mustEscape || Int.random(in: 0..<8, using: &dice) == 0 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &dice))
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func value(_ depth: Int, _ dice: inout Dice) -> String {
        switch Int.random(in: (depth == 0 ? 6 : 0)..<(depth > 4 ? 6 : 12), using: &dice) {
        case 0: return ["true", "false", "null"].randomElement(using: &dice) ?? ""
        case 1:
            return ["0", "-0", "12", "-3", "1.5", "1e9", "2E-7", "0.0e+1"].randomElement(using: &dice) ?? ""
        case 2: return string("line\n and \"quotes\" \\ é \u{1f600} [{", &dice)
        case 3...5:
            return string(["x-1", "", "r_\(depth)", "q", "a b"].randomElement(using: &dice) ?? "", &dice)
        case 6, 7:
            let count = Int.random(in: 0...3, using: &dice)
            let elements = (0..<count).map { _ in space(&dice) + value(depth + 1, &dice) + space(&dice) }
            return "[" + (elements.isEmpty ? space(&dice) : elements.joined(separator: ",")) + "]"
        default:
            let chosen = names.shuffled(using: &dice).prefix(Int.random(in: 0...4, using: &dice))
            let members = chosen.map {
                space(&dice) + string($0, &dice) + space(&dice) + ":" + space(&dice)
                    + value(depth + 1, &dice) + space(&dice)
            }
            return "{" + (members.isEmpty ? space(&dice) : members.joined(separator: ",")) + "}"
        }
    }

    private static func place(_ dice: inout Dice) -> [AnswerPlace.Step] {
        (0..<Int.random(in: 1...3, using: &dice)).map { _ in
            Int.random(in: 0..<4, using: &dice) == 0
                ? .element(Int.random(in: 0...2, using: &dice))
                : .member(names.randomElement(using: &dice) ?? "a")
        }
    }

    @Test(arguments: 0..<8)
    func `it finds what the reader of whole texts finds, however the text is cut`(_ seed: UInt64) throws {
        var dice = Dice(seed: seed)
        var hits = 0
        for _ in 0..<1_000 {
            let text = bytes(Self.space(&dice) + Self.value(0, &dice) + Self.space(&dice))
            let places = (0..<Int.random(in: 1...8, using: &dice)).map { _ in Self.place(&dice) }
            let expected = expectedID(places, try JSONValue(text))
            if expected != nil { hits += 1 }
            #expect(foundID(places, [text]) == expected, "\(String(decoding: text, as: UTF8.self))")
            #expect(foundID(places, dice.parts(text, atMost: 7)) == expected)
            #expect(foundID(places, text.map { [$0] }) == expected)
        }
        #expect(hits > 40)
    }

    @Test(arguments: 0..<4)
    func `a damaged text leads to the same however it is cut, and to no trap`(_ seed: UInt64) throws {
        var dice = Dice(seed: 100 + seed)
        for _ in 0..<1_000 {
            var text = bytes(Self.value(0, &dice))
            for _ in 0..<Int.random(in: 1...3, using: &dice) where !text.isEmpty {
                let i = Int.random(in: 0..<text.count, using: &dice)
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: text.remove(at: i)
                case 1: text[i] = UInt8.random(in: 0...255, using: &dice)
                default: text.insert("{}[]\",:\\u01e.".utf8.randomElement(using: &dice) ?? 0, at: i)
                }
            }
            let places = (0..<4).map { _ in Self.place(&dice) }
            let whole = foundID(places, [text])
            #expect(foundID(places, dice.parts(text, atMost: 7)) == whole)
            #expect(foundID(places, text.map { [$0] }) == whole)
        }
    }
}
