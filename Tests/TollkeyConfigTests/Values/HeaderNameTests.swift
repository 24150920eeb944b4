import Testing
import TollkeyConfig
import TollkeyCore

struct HeaderNameTests {
    @Test(arguments: ["Authorization", "X-App-ID", "x_app_id", "Content-Type", "Proxied-By"])
    func `names that may be set`(_ name: String) throws {
        #expect(try HeaderName.parse(name) == name)
    }

    @Test(arguments: [
        "Host", "content-length", "Content_Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE",
        "Trailer", "UPGRADE", "Proxy-Authorization", "proxy_connection", "Via", "Expect", "", "a b", "é",
        "a:",
    ])
    func `framing, hop-by-hop and what is no token`(_ name: String) {
        #expect(throws: Misfit.self) { try HeaderName.parse(name) }
    }

    @Test func `folding makes case and underscores alike`() {
        #expect(HeaderName.folded("X_App-ID") == "x-app-id")
    }
}
