import Testing
import TollkeyCore

/// RFC 7240.
struct PreferencesTests {
    private func wait(_ fields: String...) throws -> Int? {
        let all = bytes(
            "GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        var head = RequestHead()
        #expect(try head.read(all.span, limits: ClientLimits()) == true)
        return Preferences.wait(head.fields, all.span)
    }

    @Test(
        arguments: [
            ("wait=10", 10), ("WAIT=10", 10), ("wait=\"10\"", 10), (" wait = 10 ", 10), ("wait=0", 0),
            ("respond-async, wait=10", 10), ("wait=10;x=1, respond-async", 10),
            ("x=\"a,wait=3\", wait=10", 10),
            ("wait=10, wait=20", 10), ("wait=99999999999999999999999", 1_000_000), ("wait=10s", 10),
            ("handling=lenient; wait=10", nil), ("waiting=10", nil), ("wait", nil), ("wait=", nil),
            ("wait=-1", nil),
            ("wait=x", nil), ("", nil), (",,,", nil), ("return=minimal", nil), ("x=\"wait=10", nil),
        ] as [(String, Int?)])
    func `the seconds that a client would wait`(_ value: String, _ seconds: Int?) throws {
        #expect(try wait("Prefer: \(value)") == seconds)
    }

    @Test func `the first of several fields that says it counts`() throws {
        #expect(try wait("Prefer: return=minimal", "prefer: wait=5", "PREFER: wait=9") == 5)
        #expect(try wait("Preferred: wait=5", "X-Prefer: wait=9", "Accept: wait=1") == nil)
    }
}
