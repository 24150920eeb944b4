import Testing
import TollkeyConfig

struct HostNameTests {
    @Test func `names come in lower case`() throws {
        #expect(try HostName.parse("API.Acme-1.test") == "api.acme-1.test")
        #expect(try HostName.parse("payments") == "payments")
        #expect(try HostName.parse("a_b.test") == "a_b.test")
        #expect(try HostName.parseOrAddress("FE80::1") == "fe80::1")
    }

    @Test(arguments: [
        "", ".", "a..b", "a.", "a b", "a:80", "*.test", "münchen.test", "1.2.3", "a.0x1", "127.1",
    ])
    func `other text is none`(_ text: String) {
        #expect(throws: Misfit.self) { try HostName.parseOrAddress(text) }
    }

    @Test func `labels and names have their length`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try HostName.parse(label) == label)
        #expect(throws: Misfit.self) { try HostName.parse(label + "a") }
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(try HostName.parse(name).utf8.count == 253)
        #expect(throws: Misfit.self) { try HostName.parse(name + "b") }
    }
}
