import Testing
import TollkeyConfig

struct IPAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1", [127, 0, 0, 1]), ("255.255.255.255", [255, 255, 255, 255]),
            ("::", [UInt8](repeating: 0, count: 16)),
            ("::1", [UInt8](repeating: 0, count: 15) + [1]),
            ("2001:db8::7", [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
            ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
            ("1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]),
            ("::ffff:127.0.0.1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]),
        ] as [(String, [UInt8])])
    func `literal addresses are parsed`(_ text: String, _ bytes: [UInt8]) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "127.1", "127.0.0.256", "127.0.0.01", "127.0.0.1.", "0x7f.0.0.1", "1.2.3", "localhost", ":",
        ":::",
        "1::2::3", "12345::", "::1%lo", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::g", "1.2.3.4::",
        "1:2:3:4:5:6:7:8::", "::1.2.3", ":1",
    ])
    func `other spellings are none`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `loopback is 127, one, and 127 mapped`() {
        for text in ["127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.2"] {
            #expect(IPAddress(text)?.isLoopback == true)
        }
        for text in [
            "0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "::2", "fe80::1", "::ffff:10.0.0.1", "::127.0.0.1",
        ] {
            #expect(IPAddress(text)?.isLoopback == false)
        }
    }
}
