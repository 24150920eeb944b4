import Testing
import TollkeyCore

/// Each bound, met and passed by one.
struct RequestHeadBoundsTests {
    private let limits = ClientLimits()

    /// A head of `count` bytes in all.
    private func head(bytes count: Int) -> [UInt8] {
        let start = bytes("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        return start + repeatElement(UInt8(ascii: "x"), count: count - start.count - 4) + bytes("\r\n\r\n")
    }

    @Test func `a head may have as many bytes as the limit says`() {
        let good = head(bytes: limits.head)
        let long = head(bytes: limits.head + 1)
        for cuts in [[], [1], [limits.head / 2], [limits.head - 1], [limits.head]] {
            #expect(!readRequest(good, cutAt: cuts).isRefused)
            #expect(readRequest(long, cutAt: cuts) == .refused("head too large"))
        }
        #expect(readRequest(good + [1, 2, 3]) == readRequest(good))
    }

    @Test func `a head that does not end is refused once it is too long, and not before`() {
        let start = bytes("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        let endless = start + repeatElement(UInt8(ascii: "x"), count: limits.head)
        #expect(readRequest(Array(endless.prefix(limits.head))) == .incomplete)
        #expect(readRequest(Array(endless.prefix(limits.head + 1))) == .refused("head too large"))
    }

    @Test func `a target may have as many bytes as the limit says`() {
        for (prefix, suffix) in [("/", ""), ("/?", ""), ("http://a/", ""), ("/", "?q")] {
            let filling = limits.target - prefix.utf8.count - suffix.utf8.count
            let good = prefix + String(repeating: "x", count: filling) + suffix
            let goodHead = bytes("GET \(good) HTTP/1.1\r\nHost: a\r\n\r\n")
            let longHead = bytes("GET \(good)x HTTP/1.1\r\nHost: a\r\n\r\n")
            for cut in [1, 100, limits.target, limits.target + 4, limits.target + 5, limits.target + 13] {
                #expect(!readRequest(goodHead, cutAt: [cut]).isRefused)
                #expect(readRequest(longHead, cutAt: [cut]) == .refused("target too long"))
            }
        }
    }

    @Test func `a target at its limit behind the longest method is complete however it is cut`() {
        let method = String(repeating: "M", count: 32)
        let target = "/" + String(repeating: "x", count: limits.target - 1)
        let all = bytes("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        let line = method.utf8.count + 1 + limits.target + 11
        for cut in line - 20...line { #expect(!readRequest(all, cutAt: [cut]).isRefused, "cut at \(cut)") }
    }

    @Test func `a target that does not end is refused`() {
        let endless = bytes("GET /" + String(repeating: "x", count: limits.head))
        #expect(readRequest(endless) == .refused("target too long"))
        #expect(readRequest(endless, cutAt: [limits.target]) == .refused("target too long"))
    }

    @Test func `a method may have 32 bytes`() {
        for (count, isGood) in [(32, true), (33, false)] {
            let method = String(repeating: "M", count: count)
            let outcome = readRequest(bytes("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n"))
            #expect(outcome.isRefused == !isGood)
        }
    }

    @Test func `a head may have as many fields as the limit says`() {
        let fields = (1..<limits.headers).map { "X\($0): y\r\n" }.joined()
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(!readRequest(bytes(start + fields + "\r\n")).isRefused)
        #expect(readRequest(bytes(start + fields + "X: y\r\n\r\n")) == .refused("head too large"))
    }

    @Test(arguments: [("0", 0), ("9", 9), (" 10\t", 10), ("999999999999999999", 999_999_999_999_999_999)])
    func `a Content-Length may have 18 digits`(_ digits: String, _ length: Int) throws {
        let head = try request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(digits)\r\n\r\n")
        #expect(head.framing == .length(length))
    }

    @Test func `smaller limits are kept as well`() {
        var small = ClientLimits()
        small.head = 64
        small.target = 10
        small.headers = 2
        let good = bytes("GET /123456789 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        #expect(!readRequest(good, limits: small).isRefused)
        small.headers = 1
        #expect(readRequest(good, limits: small) == .refused("head too large"))
        small.headers = 2
        small.target = 9
        #expect(readRequest(good, limits: small) == .refused("target too long"))
        small.target = 10
        small.head = good.count - 1
        #expect(readRequest(good, limits: small) == .refused("head too large"))
    }
}
