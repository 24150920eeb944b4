import Testing
import TollkeyCore

struct JWTClaimsTests {
    @Test func `the times of a token are read`() throws {
        let claims = try #require(
            JWTClaims(Secret(jwt(#"{"exp":1768473900,"iat":1768473000,"nbf":1768473001}"#))))
        #expect(claims.expires == noon + 900_000)
        #expect(claims.issued == noon)
        #expect(claims.notBefore == noon + 1_000)
    }

    @Test(
        arguments: [
            ("1768473900", noon + 900_000), ("1768473900.5", noon + 900_500), ("1.7684739e9", noon + 900_000),
            ("1768473900000", noon + 900_000), ("0", 0), ("-1", nil), (#""1768473900""#, nil), ("null", nil),
            ("true", nil), ("[1768473900]", nil), ("1e300", nil),
        ] as [(String, Int64?)])
    func `a time is a number, whole or not`(_ written: String, _ expected: Int64?) throws {
        let claims = try #require(JWTClaims(Secret(jwt(#"{"exp":\#(written)}"#))))
        #expect(claims.expires == expected)
        #expect(claims.issued == nil && claims.notBefore == nil)
    }

    @Test func `padding and a missing signature do not matter`() {
        #expect(JWTClaims(Secret("e30.\(Base64URL.encode(bytes(#"{"exp":10}"#)))==.x"))?.expires == 10_000)
        #expect(JWTClaims(Secret("e30.\(Base64URL.encode(bytes(#"{"exp":10}"#)))."))?.expires == 10_000)
    }

    @Test(arguments: [
        "", "token", "a.b", "..", "a..c", "a.b.c", "a.b.c.d.e", ".e30.x", "e30.W10.x", "e30.MQ.x", "e30.e3.x",
        "e30.eyJleHAiOjEsImV4cCI6Mn0.x",
    ])
    func `anything else has no claims`(_ token: String) {
        #expect(JWTClaims(Secret(token)) == nil)
    }

    @Test func `a token beyond the bound is not looked into`() {
        let token = jwt(#"{"exp":10}"#)
        let padding = String(repeating: "x", count: JWTClaims.bytesMax - token.utf8.count)
        #expect(JWTClaims(Secret(token + padding))?.expires == 10_000)
        #expect(JWTClaims(Secret(token + padding + "x")) == nil)
    }
}
