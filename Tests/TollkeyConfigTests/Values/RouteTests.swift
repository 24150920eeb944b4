import Testing
import TollkeyConfig
import TollkeyCore

struct RouteTests {
    @Test(arguments: ["/piaxis", "/pay/eu", "/a.b/~c_d-e", "/..."])
    func `whole segments make a route`(_ text: String) throws {
        #expect(try Route.parse(text) == text)
    }

    @Test(arguments: [
        "", "/", "piaxis", "/a/", "//a", "/a//b", "/a/../b", "/.", "/a b", "/%41", "/a?b", "/ä", "/*",
    ])
    func `other text is none`(_ text: String) {
        #expect(throws: Misfit.self) { try Route.parse(text) }
    }
}
