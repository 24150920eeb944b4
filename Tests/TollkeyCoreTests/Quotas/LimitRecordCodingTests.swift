import Testing
import TollkeyCore

struct LimitRecordCodingTests {
    /// A record as random contacts leave it.
    private func some(_ dice: inout Dice) -> CategoryRecord {
        var record = CategoryRecord()
        let limits = (0..<Int.random(in: 0...3, using: &dice)).map { number in
            LimitSettings(
                Int.random(in: 1...10_000, using: &dice),
                per: .milliseconds(1_000 + Int64(number) * Int64.random(in: 1...100_000, using: &dice)))
        }
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        var now: Int64 = 0
        for turn in 0..<Int64.random(in: 0...60, using: &dice) {
            now += Int64.random(in: 0...200_000, using: &dice)
            var contact = LedgerContact(
                key: key, turn: turn,
                limits: limits.map { limit in
                    var part = LimitContact(limit: limit)
                    part.used = Int.random(in: 0...20, using: &dice)
                    part.wanted = Int.random(in: 0...50, using: &dice)
                    part.left = Int.random(in: 0...part.wanted, using: &dice)
                    part.life = Int64.random(in: 0...5_000_000, using: &dice)
                    part.age = Int64.random(in: 0...1_000_000, using: &dice)
                    return part
                })
            contact.pause = Bool.random(using: &dice) ? 0 : 1_000
            _ = record.answer(contact, of: UInt64.random(in: 0...5, using: &dice), at: now)
        }
        return record
    }

    @Test func `a record comes back as it was`() {
        var dice = Dice(seed: 1)
        for _ in 0..<300 {
            let record = some(&dice)
            #expect(CategoryRecord(decoding: record.encode()) == record)
        }
    }

    @Test func `a record that was cut, or has something behind it, is none`() {
        var dice = Dice(seed: 2)
        let bytes = some(&dice).encode()
        for count in bytes.indices { #expect(CategoryRecord(decoding: Array(bytes.prefix(count))) == nil) }
        #expect(CategoryRecord(decoding: bytes + [0]) == nil)
        #expect(CategoryRecord(decoding: []) == nil)
    }

    @Test func `another version is none`() {
        var bytes = CategoryRecord().encode()
        bytes[0] += 1
        #expect(CategoryRecord(decoding: bytes) == nil)
    }

    /// Whatever can be read can be worked with, at any time, and written again.
    @Test func `no bytes bring it down`() throws {
        var dice = Dice(seed: 3)
        var read = 0
        for round in 0..<6_000 {
            var bytes = round % 8 == 0 ? dice.bytes(0...60) : some(&dice).encode()
            for _ in 0..<Int.random(in: 0...3, using: &dice) where !bytes.isEmpty {
                let at = Int.random(in: bytes.indices, using: &dice)
                switch Int.random(in: 0..<4, using: &dice) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &dice)
                case 2: bytes.remove(at: at)
                default: bytes.insert(contentsOf: dice.bytes(1...9), at: at)
                }
            }
            if CategoryRecord(decoding: bytes) != nil { read += 1 }
            try checkLimits(bytes)
        }
        #expect(read > 600)
    }
}
