import Testing
import TollkeyCore

/// Against the sets as the RFCs spell them.
struct CharactersTests {
    private let alphanumeric = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    @Test func `tokens hold what RFC 9110 section 5.6.2 lists`() {
        let expected = alphanumeric.union("!#$%&'*+-.^_`|~".utf8)
        for c in UInt8.min...UInt8.max { #expect(Characters.isToken(c) == expected.contains(c), "\(c)") }
    }

    @Test func `a field value ends at the first byte that it cannot hold, wherever that stands`() {
        for c in UInt8.min...UInt8.max {
            for position in 0..<18 {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 18)
                bytes[position] = c
                let end = Characters.isFieldValue(c) ? bytes.count : position
                for start in 0...position {
                    #expect(Characters.endOfFieldValue(bytes.span, from: start) == end, "\(c) at \(position)")
                }
            }
        }
    }

    @Test func `paths hold what RFC 3986 section 3.3 lists`() {
        let expected = alphanumeric.union("-._~!$&'()*+,;=:@/%".utf8)
        for c in UInt8.min...UInt8.max { #expect(Characters.isPath(c) == expected.contains(c), "\(c)") }
    }

    @Test func `queries hold every visible ASCII character but the number sign`() {
        for c in UInt8.min...UInt8.max {
            #expect(Characters.isQuery(c) == ((33...126).contains(c) && c != 35), "\(c)")
        }
    }

    @Test func `field values hold everything but controls, and the tab`() {
        for c in UInt8.min...UInt8.max {
            #expect(Characters.isFieldValue(c) == (c == 9 || c >= 32 && c != 127), "\(c)")
        }
    }

    @Test func `digits, letters and their case are those of ASCII`() {
        for c in UInt8.min...UInt8.max {
            let isUpper = (65...90).contains(c)
            #expect(Characters.isDigit(c) == (48...57).contains(c), "\(c)")
            #expect(Characters.isAlphanumeric(c) == alphanumeric.contains(c), "\(c)")
            #expect(Characters.lowercased(c) == (isUpper ? c + 32 : c), "\(c)")
            let text = String(UnicodeScalar(c))
            #expect(Characters.hexValue(c) == (c < 128 ? UInt8(text, radix: 16) : nil), "\(c)")
        }
    }

    @Test(arguments: [
        ("Chunked", true), ("chunked", true), ("chunke", false), ("chunkedd", false), ("", false),
    ])
    func `texts are compared whole and without regard to case`(_ text: String, _ isEqual: Bool) {
        #expect(bytes(text).span.equalsIgnoringCase("chunked") == isEqual)
        #expect(bytes(text).span.equalsIgnoringCase(bytes("chunked")) == isEqual)
    }
}
