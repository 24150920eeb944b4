import Testing
import TollkeyConfig
import TollkeyCore

struct OriginTests {
    @Test func `origins are as browsers send them`() throws {
        #expect(try Origin.parse("https://Shop.example") == "https://shop.example")
        #expect(try Origin.parse("https://shop.example:443") == "https://shop.example")
        #expect(try Origin.parse("http://localhost:3000") == "http://localhost:3000")
        #expect(try Origin.parse("http://[::1]:3000") == "http://[::1]:3000")
    }

    @Test(arguments: [
        "*", "null", "shop.example", "https://shop.example/", "https://a@b.test", "https://*.test",
    ])
    func `other text is none`(_ text: String) {
        #expect(throws: Misfit.self) { try Origin.parse(text) }
    }
}
