import Testing
import TollkeyCore
import TollkeyServer

@Suite struct SystemCryptographyTests {
    private let cryptography = SystemCryptography()

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// base64url without padding.
    private static func bytes(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let bits = text.utf8.flatMap { character in
            let value = alphabet.firstIndex(of: character) ?? 0
            return (0..<6).map { value >> (5 - $0) & 1 }
        }
        return (0..<bits.count / 8).map { byte in
            UInt8(bits[byte * 8..<byte * 8 + 8].reduce(0) { $0 << 1 | $1 })
        }
    }

    /// RFC 1321 §A.5 and FIPS 180-4's examples.
    @Test(arguments: [
        (Digest.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
        (.md5, "test", "098f6bcd4621d373cade4e832627b4f6"),
        (.sha1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            .sha384, "abc",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        ),
        (
            .sha512, "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ])
    func `digests are those of the standards`(_ digest: Digest, _ text: String, _ expected: String) {
        #expect(Self.hex(cryptography.hash(digest, Array(text.utf8))) == expected)
    }

    /// RFC 2202, test cases 1 and 2 (the MD5 key of case 1 has 16 bytes there); RFC 4231, cases 1, 2 and 6.
    @Test(
        arguments: [
            (
                Digest.md5, Array("Jefe".utf8), "what do ya want for nothing?",
                "750c783e6ab0b503eaa86e310a5db738"
            ),
            (
                .sha1, Array("Jefe".utf8), "what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
            ),
            (
                .sha1, .init(repeating: 0x0b, count: 20), "Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00"
            ),
            (
                .sha256, .init(repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                .sha384, .init(repeating: 0x0b, count: 20), "Hi There",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"
            ),
            (
                .sha512, .init(repeating: 0x0b, count: 20), "Hi There",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                    + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
            ),
            (
                .sha256, Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                .sha384, Array("Jefe".utf8), "what do ya want for nothing?",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
            ),
            (
                .sha512, Array("Jefe".utf8), "what do ya want for nothing?",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
            ),
            (
                .sha256, .init(repeating: 0xaa, count: 131),
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            (
                .sha512, .init(repeating: 0xaa, count: 131),
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                    + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
            ),
            (.sha256, [], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ] as [(Digest, [UInt8], String, String)])
    func `keyed digests are those of the standards`(
        _ digest: Digest, _ key: [UInt8], _ text: String, _ expected: String
    ) {
        #expect(Self.hex(cryptography.hmac(digest, key: key, Array(text.utf8))) == expected)
    }

    /// RFC 7515, appendix A.2.
    @Test(arguments: [Keys.rfc7515, Keys.rfc7515AsPKCS1]) func `a signature is that of the standard`(
        _ key: String
    ) {
        let input =
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let expected =
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
            + "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
            + "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
            + "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        for _ in 0..<2 {
            #expect(
                cryptography.rsaSignature(.sha256, key: Array(key.utf8), Array(input.utf8))
                    == Self.bytes(expected))
        }
    }

    /// The signatures' SHA-256, from another library.
    @Test(arguments: [
        (Digest.md5, "1d32b19ffdcbd98ffab50dfd6f724135968675de4a4f69ca67e3ac127686309d"),
        (.sha1, "d1dee753de7728f767b866666e83538b1852e5a23899623d1fea538121bf9adc"),
        (.sha384, "6ffef18654b716983fbb8af5868220d46fecd98d8b21f71a23e498eaa2a963b8"),
        (.sha512, "a1f8f58c0d95ef79a4329da498b47344b474fc48e2866bdea146c0417e7c2671"),
    ])
    func `a signature can be over each digest`(_ digest: Digest, _ expected: String) throws {
        let key = Array(Keys.rfc7515.utf8)
        let signature = try #require(cryptography.rsaSignature(digest, key: key, Array("abc".utf8)))
        #expect(Self.hex(cryptography.hash(.sha256, signature)) == expected)
    }

    @Test(arguments: [
        "", "no key", Keys.elliptic, Keys.notPrivate, Keys.withPassword, String(Keys.rfc7515.dropLast(100)),
    ])
    func `what is no open RSA key signs nothing, and asks nobody for a password`(_ key: String) {
        for _ in 0..<2 {
            #expect(cryptography.rsaSignature(.sha256, key: Array(key.utf8), Array("abc".utf8)) == nil)
        }
    }

    @Test func `a key too small for the digest signs nothing`() {
        let key = Array(Keys.small.utf8)
        #expect(cryptography.rsaSignature(.sha256, key: key, Array("abc".utf8))?.count == 64)
        #expect(cryptography.rsaSignature(.sha512, key: key, Array("abc".utf8)) == nil)
    }

    @Test(arguments: [0, 1, 16, 1_000]) func `random bytes are as many as asked for, and others each time`(
        _ count: Int
    ) {
        let first = cryptography.random(count)
        #expect(first.count == count)
        if count >= 16 {
            #expect(first != cryptography.random(count))
            #expect(first.contains { $0 != 0 })
        }
    }

    @Test func `equal is what has the same bytes`() {
        #expect(cryptography.areEqual([], []) && cryptography.areEqual([1, 2], [1, 2]))
        #expect(!cryptography.areEqual([1, 2], [1, 3]) && !cryptography.areEqual([1], [1, 2]))
    }
}
