import Testing
import TollkeyConfig
import TollkeyCore

/// Whatever the bytes: an answer, and no trap.
struct HostileTests {
    private func problems(_ bytes: [UInt8]) -> ConfigurationProblems? {
        let reader = ConfigurationReader(file: "f", literalsAllowed: true) { _ in
            .success(Secret("\(pem) s3cr3t"))
        }
        guard case .failure(let problems) = reader.read(bytes) else { return nil }
        return problems
    }

    @Test(arguments: ["[", "{", "- ", "a: {", "? ", "\"", "- - [{", "!!x ", "&a ", "| ", "#", "*a ", "'"])
    func `a mebibyte of one token is a problem`(_ token: String) {
        let text = String(repeating: token, count: Bounds.fileBytes / token.utf8.count)
        #expect(problems(Array(text.utf8))?.list.isEmpty == false)
    }

    @Test func `deep indentation is a problem`() {
        let text = (0..<500).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(problems(Array(text.utf8))?.list.count == 1)
    }

    @Test func `an alias bomb stays small`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let found = problems(Array(text.utf8))
        #expect(found?.list.contains { $0.message.hasPrefix("aliases") } == true)
    }

    @Test func `as many unknown keys as fit take a moment, not a minute`() {
        let text = (0..<60_000).map { "timeoutz\($0): 1\n" }.joined()
        let found = problems(Array(text.utf8))
        #expect(found?.list.count == Bounds.problems)
    }

    @Test func `random bytes are problems`() {
        var dice = Dice(seed: 1)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 1...200, using: &dice)).map { _ in
                UInt8.random(in: 0...255, using: &dice)
            }
            #expect(problems(bytes) != nil)
        }
    }

    @Test func `the example with a few bytes changed is read or has problems, without the secret in them`()
        throws
    {
        let secret = "hunter2.hunter2"
        let text = String(decoding: try file("proxy.yaml.example"), as: UTF8.self)
        let example = Array(text.replacing("${env:ACME_SECRET}", with: secret).utf8)
        #expect(problems(example) == nil)
        var dice = Dice(seed: 2)
        var good = 0
        for _ in 0..<2_000 {
            var bytes = example
            for _ in 0..<Int.random(in: 1...6, using: &dice) { mutate(&bytes, &dice) }
            guard let found = problems(bytes) else {
                good += 1
                continue
            }
            #expect(!found.list.isEmpty)
            #expect(!found.description.contains("s3cr3t"))
            #expect(!found.description.contains("hunter2"))
            for problem in found.list { #expect(problem.position.line >= 1 && problem.position.column >= 1) }
        }
        // Most of the example is comments: both outcomes must have been met.
        #expect((100..<1_900).contains(good))
    }

    private func mutate(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: bytes.indices, using: &dice)
        let end = min(bytes.count, at + Int.random(in: 1...40, using: &dice))
        let signs = Array("{}[]:,-?#&*!|>'\"%@` \n\t$~\0".utf8)
        switch Int.random(in: 0..<6, using: &dice) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
        case 1: bytes[at] = signs.randomElement(using: &dice) ?? 0
        case 2: bytes.insert(signs.randomElement(using: &dice) ?? 0, at: at)
        case 3: bytes.removeSubrange(at..<end)
        case 4: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: bytes.indices, using: &dice))
        default: bytes.removeSubrange(at...)
        }
    }
}

/// SplitMix64: the same throws for the same seed, so that a failure can be met again.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
