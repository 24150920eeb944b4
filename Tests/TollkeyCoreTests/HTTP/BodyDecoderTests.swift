import Testing
import TollkeyCore

struct BodyDecoderTests {
    @Test(arguments: [0, 1, 5, 10])
    func `a length is content up to its end and not beyond`(_ length: Int) throws {
        let all = bytes("0123456789next")
        for cut in 0...all.count {
            let decoded = try decode(.length(length), [Array(all[..<cut]), Array(all[cut...])])
            #expect(text(decoded.content) == text(all.prefix(length)))
            #expect(decoded.hasEnded)
            #expect(decoded.left == all.count - length)
        }
    }

    @Test func `a length that has not arrived wants more`() throws {
        let decoded = try decode(.length(11), [bytes("01234"), [], bytes("56789")])
        #expect(decoded == Decoded(content: bytes("0123456789")))
    }

    @Test func `the end of a length is known with its last byte`() throws {
        var decoder = BodyDecoder(.length(3))
        var position = 0
        #expect(!decoder.isEnded)
        #expect(try decoder.next(bytes("abcd").span, at: &position) == .content(0..<3))
        #expect(decoder.isEnded)
        #expect(try decoder.next(bytes("abcd").span, at: &position) == .end)
        #expect(position == 3)
        #expect(BodyDecoder(.length(0)).isEnded)
    }

    @Test func `content until the connection's end never ends by itself`() throws {
        let decoded = try decode(.untilClose, [bytes("0\r\n"), [], bytes("\r\nx")])
        #expect(decoded == Decoded(content: bytes("0\r\n\r\nx")))
        #expect(BodyDecoder(.untilClose).endsWithConnection)
        #expect(!BodyDecoder(.chunked).endsWithConnection)
        #expect(!BodyDecoder(.length(1)).endsWithConnection)
    }

    @Test func `a decoder that has ended says so again and takes nothing`() throws {
        for (framing, message) in [(BodyFraming.chunked, "1\r\na\r\n0\r\n\r\n"), (.length(1), "a")] {
            var decoder = BodyDecoder(framing)
            let all = bytes(message + "1\r\nb\r\n")
            var position = 0
            while try decoder.next(all.span, at: &position) != .end {}
            #expect(decoder.isEnded)
            #expect(try decoder.next(all.span, at: &position) == .end)
            #expect(position == message.utf8.count)
        }
    }
}
