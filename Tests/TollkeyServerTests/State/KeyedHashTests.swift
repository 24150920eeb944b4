import Testing
import TollkeyServer

struct KeyedHashTests {
    /// RFC 4231, test cases 1 and 2.
    @Test func `HMAC-SHA256 is that of the RFC`() {
        #expect(
            hex(KeyedHash.hmac(key: [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            hex(KeyedHash.hmac(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    /// RFC 5869, test case 1: the first block of its output.
    @Test func `HKDF-SHA256 is that of the RFC`() {
        #expect(
            hex(
                KeyedHash.hkdf(
                    key: [UInt8](repeating: 0x0b, count: 22), salt: Array(0x00...0x0c),
                    info: Array(0xf0...0xf9)))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")
    }

    /// FIPS 180-2, and of nothing.
    @Test func `SHA-256 is that of the standard`() {
        #expect(
            hex(KeyedHash.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex(KeyedHash.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    private func hex(_ bytes: [UInt8]?) -> String {
        (bytes ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
