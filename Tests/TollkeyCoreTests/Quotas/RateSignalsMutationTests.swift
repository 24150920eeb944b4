import Testing
import TollkeyCore

/// Whatever a provider sends: an answer, and one within its bounds.
struct RateSignalsMutationTests {
    private static let names = [
        "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Rate-Limit-Reset",
        "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit", "RateLimit-Policy",
        "Retry-After", "Date",
    ]
    private static let values = [
        "100", "1768473030", "1768473030000", "29.5", "9223372036854775807", "-1", noonDate,
        "2026-01-15T10:30:30Z", "\"a\";r=40;t=30, \"b\";r=4;t=3", "a;q=100;w=60;pk=:AA==:, 5;w=1",
        "limit=100, remaining=40, reset=30", "10, 10;w=1", "?1;x=@5;y=%\"z\"",
    ].map(bytes)

    @Test func `changed values and random bytes give an answer within bounds`() throws {
        var dice = Dice(seed: 61)
        var heard = 0
        for round in 0..<20_000 {
            var all = bytes("HTTP/1.1 429 X\r\n")
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                all += bytes((Self.names.randomElement(using: &dice) ?? "") + ": ") + value(&dice) + [13, 10]
            }
            all += [13, 10]
            var head = ResponseHead()
            guard try head.read(all.span) else { throw NotComplete() }
            let now = [noon, 0, .min, .max].randomElement(using: &dice) ?? 0
            guard let read = RateSignals.read(head.fields, all.span, status: 429, now: now) else { continue }
            heard += 1
            let spans = [read.resetIn, read.retryAfter].compactMap(\.self)
            let counts = [read.remaining].compactMap(\.self)
            guard read != RateSignals(), counts.allSatisfy({ $0 >= 0 }),
                spans.allSatisfy({ (.zero...RateSignals.spanMax).contains($0) })
            else {
                Issue.record("\(round): \(text(all)) says \(read)")
                return
            }
        }
        #expect((5_000..<20_000).contains(heard))
    }

    /// Only what a head may hold.
    private func value(_ dice: inout Dice) -> [UInt8] {
        var value = Self.values.randomElement(using: &dice) ?? []
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: value = dice.bytes(0...40)
        case 1: value.removeLast(Int.random(in: 0...value.count, using: &dice))
        case 2: value[Int.random(in: value.indices, using: &dice)] = UInt8.random(in: 33..<127, using: &dice)
        default: break
        }
        return value.filter { ($0 >= 0x20 && $0 != 0x7f) || $0 == 9 }
    }
}
