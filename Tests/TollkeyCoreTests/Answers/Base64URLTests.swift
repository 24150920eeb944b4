import Testing
import TollkeyCore

struct Base64URLTests {
    /// RFC 4648 §10, and the two letters that differ from base64.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"), (">>>???", "Pj4-Pz8_"),
    ])
    func `texts are encoded without padding and read with it or none`(_ plain: String, _ encoded: String) {
        #expect(Base64URL.encode(bytes(plain)) == encoded)
        #expect(Base64URL.decode(encoded.utf8) == bytes(plain))
        let padding = String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)
        #expect(Base64URL.decode((encoded + padding).utf8) == bytes(plain))
    }

    @Test(arguments: [
        "Z", "Zm9vY", "Zg=", "Zg===", "Zm9v=", "Zm9v====", "====", "=", "Zm9v+w", "Zm9v/w", "Zm 9v", "Zm9v\n",
        "Z=g=", "Zé",
    ])
    func `anything else is refused`(_ text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }

    @Test func `all bytes come back`() {
        var dice = Dice(seed: 35)
        for _ in 0..<2_000 {
            let bytes = dice.bytes(0...50)
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
    }

    @Test func `random texts give an answer`() {
        var dice = Dice(seed: 36)
        for _ in 0..<5_000 { _ = Base64URL.decode(dice.bytes(0...20)) }
    }
}
