import Testing
import TollkeyCore

struct ChunkedDecoderTests {
    @Test(arguments: [
        ("0\r\n\r\n", "", ""), ("1\r\na\r\n0\r\n\r\n", "a", ""), ("3\r\na\r\n\r\n0\r\n\r\n", "a\r\n", ""),
        ("A\r\n0123456789\r\n00a\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", ""),
        ("1;x\r\na\r\n0;y=\"z\"\r\n\r\n", "a", ""), ("1;\r\na\r\n0;;;\t é\r\n\r\n", "a", ""),
        ("0\r\nX: y\r\n\r\n", "", "X: y\r\n"),
        ("1\r\na\r\n0\r\nA:\r\nb: c d \r\n\r\n", "a", "A:\r\nb: c d \r\n"),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n", ""), ("2\r\né\r\n0\r\n\r\n", "é", ""),
    ])
    func `a message is the same however it is cut, and what follows it is left`(
        _ message: String, _ content: String, _ trailers: String
    ) throws {
        let rest = "GET / HTTP/1.1\r\n"
        let all = bytes(message + rest)
        let expected = Decoded(
            content: bytes(content), trailers: trailers, hasEnded: true, left: rest.utf8.count)
        for cut in 0...all.count {
            #expect(
                try decode(.chunked, [Array(all[..<cut]), Array(all[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try decode(.chunked, all.map { [$0] }) == expected)
        for count in 0..<message.utf8.count {
            let decoded = try decode(.chunked, [Array(all[..<count])])
            #expect(!decoded.hasEnded && decoded.left == 0, "up to \(count)")
        }
    }

    static let refused: [(String, String)] = [
        ("\r\n", "without a size"), (";x\r\n", "without a size"), (" 1\r\na\r\n", "without a size"),
        ("+1\r\na\r\n", "without a size"), ("-1\r\na\r\n", "without a size"), ("g\r\n", "without a size"),
        ("\n1\r\na\r\n", "without a size"), ("1\r\na\r\n\r\n0\r\n\r\n", "without a size"),
        ("0x1\r\na\r\n", "no hexadecimal number"), ("1 \r\na\r\n", "no hexadecimal"),
        ("1\t\r\na\r\n", "no hexadecimal"),
        ("1 ;x\r\na\r\n", "no hexadecimal"), ("1h\r\na\r\n", "no hexadecimal"), ("1_0\r\n", "no hexadecimal"),
        ("1\na\r\n", "no hexadecimal"), ("1\0\r\na\r\n", "no hexadecimal"),
        ("1,1\r\na\r\n", "no hexadecimal"),
        ("0000000000000001\r\na\r\n", "too long"), ("1000000000000000\r\n", "too long"),
        ("ffffffffffffffffffff\r\n", "too long"),
        ("1\ra\r\n", "bare CR"), ("1\r\r\na\r\n", "bare CR"), ("1;x\ry\r\n", "bare CR"),
        ("1;x\n\r\na\r\n", "extension"), ("1;\0\r\na\r\n", "extension"), ("1;\u{7f}\r\na\r\n", "extension"),
        ("1\r\nab\r\n", "longer than its size"), ("1\r\na0\r\n\r\n", "longer"),
        ("1\r\na\n0\r\n\r\n", "longer"),
        ("1\r\na\r0\r\n\r\n", "bare CR behind a chunk"), ("1\r\na\r\r\n", "bare CR behind a chunk"),
        ("0\r\n\n", "a field name"), ("0\r\nX: y\n\r\n", "a field value"),
        ("0\r\nX : y\r\n\r\n", "a field name"),
        ("0\r\nX: y\r\n z\r\n\r\n", "a field name"), ("0\r\n: y\r\n\r\n", "no name"),
        ("0\r\nX\r\n\r\n", "a field name"),
        ("0\r\nX: \0\r\n\r\n", "a field value"), ("0\r\n\r\r\n", "a field name"),
        ("0\r\nX: y\rZ: a\r\n\r\n", "bare CR"),
    ]

    @Test(arguments: refused)
    func `what another decoder could read differently is refused, however it is cut`(
        _ message: String, _ words: String
    ) {
        let all = bytes(message)
        for cut in 0...all.count {
            #expect("cut at \(cut)") {
                try decode(.chunked, [Array(all[..<cut]), Array(all[cut...])])
            } throws: {
                ($0 as? HeadError)?.words.contains(words) == true
            }
        }
    }

    @Test(arguments: [("00000000000000a", true), ("fffffffffffffff", true), ("0000000000000000", false)])
    func `a size may have 15 digits`(_ digits: String, _ isGood: Bool) {
        #expect(ChunkedDecoder.digitsMax == 15)
        #expect(isAccepted("1\r\na\r\n\(digits)\r\n") == isGood)
    }

    @Test func `extensions of all chunks together are bounded`() {
        let half = String(repeating: "x", count: ChunkedDecoder.extensionBytesMax / 2)
        #expect(isAccepted("1;\(half)\r\na\r\n0;\(half)\r\n\r\n"))
        #expect(!isAccepted("1;\(half)\r\na\r\n0;\(half)x\r\n\r\n"))
        #expect(isAccepted("1;\(half)\(half)\r\na\r\n"))
        #expect(!isAccepted("1;\(half)\(half)x\r\na\r\n"))
    }

    @Test func `a trailer section is bounded in bytes`() {
        // Counted with the empty line at its end.
        let value = String(repeating: "x", count: ChunkedDecoder.trailerBytesMax - 6)
        #expect(isAccepted("0\r\nX:\(value)\r\n\r\n"))
        #expect(!isAccepted("0\r\nX:\(value)x\r\n\r\n"))
        #expect(!isAccepted("0\r\nX:\(value)\(value)"))
    }

    @Test func `a trailer section is bounded in lines`() {
        let lines = String(repeating: "X: y\r\n", count: ChunkedDecoder.trailerLinesMax)
        #expect(isAccepted("0\r\n\(lines)\r\n"))
        #expect(!isAccepted("0\r\n\(lines)X: y\r\n\r\n"))
    }

    private func isAccepted(_ message: String) -> Bool { (try? decode(.chunked, [bytes(message)])) != nil }

    @Test func `any content in any chunks, cut anywhere, is that content`() throws {
        var dice = Dice(seed: 11)
        for _ in 0..<300 {
            let content = dice.bytes(0...500)
            var message: [UInt8] = []
            for chunk in dice.parts(content, atMost: 90) where !chunk.isEmpty {
                message += size(chunk.count, &dice) + chunk + bytes("\r\n")
            }
            message += size(0, &dice) + bytes("X: y\r\n\r\n")
            let parts = dice.parts(message)
            #expect(
                try decode(.chunked, parts)
                    == Decoded(content: content, trailers: "X: y\r\n", hasEnded: true, left: 0))
        }
    }

    /// A size line as it may be written: any case, some zeros in front, now and then an extension.
    private func size(_ count: Int, _ dice: inout Dice) -> [UInt8] {
        let zeros = String(repeating: "0", count: Int.random(in: 0...4, using: &dice))
        let digits = String(count, radix: 16, uppercase: Bool.random(using: &dice))
        let isExtended = Int.random(in: 0..<8, using: &dice) == 0
        return bytes(zeros + digits + (isExtended ? ";n=v" : "") + "\r\n")
    }
}
