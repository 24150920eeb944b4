import Testing
import TollkeyCore

struct TextEncodingTests {
    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666f"), ("foo", "Zm9v", "666f6f"),
        ("foob", "Zm9vYg==", "666f6f62"), ("fooba", "Zm9vYmE=", "666f6f6261"),
        ("foobar", "Zm9vYmFy", "666f6f626172"),
    ])
    func `bytes are encoded as the standard's own examples are`(
        _ plain: String, _ base64: String, _ hex: String
    ) {
        #expect(text(TextEncoding.base64.encode(bytes(plain))) == base64)
        #expect(text(TextEncoding.base64url.encode(bytes(plain))) == base64.filter { $0 != "=" })
        #expect(text(TextEncoding.hex.encode(bytes(plain))) == hex)
    }

    @Test func `every byte has its digits, and the two alphabets differ in two letters`() {
        #expect(text(TextEncoding.hex.encode([0x00, 0x0f, 0xa0, 0xff])) == "000fa0ff")
        #expect(text(TextEncoding.base64.encode([0xfb, 0xef, 0xff])) == "++//")
        #expect(text(TextEncoding.base64url.encode([0xfb, 0xef, 0xff])) == "--__")
        for byte: UInt8 in 0...255 {
            let encoded = text(TextEncoding.base64url.encode([0x41, byte & 0x7f]))
            #expect(decoded(base64url: encoded) == text([0x41, byte & 0x7f]))
        }
    }
}
