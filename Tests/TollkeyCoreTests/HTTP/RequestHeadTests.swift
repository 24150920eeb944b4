import Testing
import TollkeyCore

struct RequestHeadTests {
    struct Row: Sendable {
        let text: String
        let method: String
        let path: String
        var query = ""
        var version = 1
        var framing = BodyFraming.length(0)
        var persists = true
    }

    @Test(arguments: [
        Row(text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", path: "/"),
        Row(
            text: "GET /p/x?y=1&z=[2] HTTP/1.1\r\nHost:a\r\n\r\n", method: "GET", path: "/p/x",
            query: "?y=1&z=[2]"),
        Row(text: "GET /? HTTP/1.1\r\nHost:\r\n\r\n", method: "GET", path: "/", query: "?"),
        Row(text: "GET /a%20b//c;v=1 HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", path: "/a%20b//c;v=1"),
        Row(
            text: "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n", method: "POST", path: "/p",
            framing: .length(7)),
        Row(
            text: "POST /p HTTP/1.1\r\nTRANSFER-ENCODING:\t Chunked \r\nhost: a\r\n\r\n", method: "POST",
            path: "/p", framing: .chunked),
        Row(text: "get / HTTP/1.1\r\nHost: a\r\n\r\n", method: "get", path: "/"),
        Row(text: "A!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n", method: "A!#$%&'*+-.^_`|~9", path: "/"),
        Row(text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", method: "OPTIONS", path: ""),
        Row(text: "GET http://a/p?q HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", path: "/p", query: "?q"),
        Row(text: "GET HTTP://[::1]:80/p HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", path: "/p"),
        Row(text: "GET / HTTP/1.0\r\n\r\n", method: "GET", path: "/", version: 0, persists: false),
        Row(
            text: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", method: "GET", path: "/", version: 0),
        Row(
            text: "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", method: "GET", path: "/",
            version: 0, persists: false),
        Row(
            text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,\tCLOSE\r\n\r\n", method: "GET", path: "/",
            persists: false),
    ])
    func `a head is taken apart`(_ row: Row) throws {
        let head = try request(row.text)
        let all = bytes(row.text)
        #expect(text(all[head.method]) == row.method)
        #expect(text(all[head.target.path]) == row.path)
        #expect(text(all[head.target.query]) == row.query)
        #expect(head.minorVersion == row.version)
        #expect(head.framing == row.framing)
        #expect(head.isPersistent == row.persists)
        #expect(head.end == all.count)
    }

    @Test func `fields keep order, case and inner bytes, and lose the white space around their values`()
        throws
    {
        let all = "GET / HTTP/1.1\r\nhOsT: a\r\nX-One:\t a \t b\t \r\nx-TWO:\r\nX-One: é:\"\r\n\r\n"
        let head = try request(all)
        let fields = head.fields.lines.map { [text(bytes(all)[$0.name]), text(bytes(all)[$0.value])] }
        #expect(fields == [["hOsT", "a"], ["X-One", "a \t b"], ["x-TWO", ""], ["X-One", "é:\""]])
        let lines = head.fields.lines.map { text(bytes(all)[$0.line]) }.joined()
        #expect("GET / HTTP/1.1\r\n" + lines + "\r\n" == all)
    }

    @Test(arguments: ["", "GET /2 HTTP/1.1\r\n", "\r\n\r\n", "\0\u{7f} anything: at all\n"])
    func `what follows the head is not touched`(_ rest: String) throws {
        let alone = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
        #expect(try request(alone + rest).end == alone.utf8.count)
    }

    @Test func `one empty line before the request is skipped, and no second one`() throws {
        let head = try request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(text(bytes("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")[head.method]) == "GET")
        #expect(readRequest(bytes("\r\n")) == .incomplete)
        #expect(readRequest(bytes("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")).isRefused)
        #expect(readRequest(bytes("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")).isRefused)
        #expect(readRequest(bytes("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n")).isRefused)
    }

    @Test func `the empty line before the request may itself arrive in two parts`() {
        let all = bytes("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for cut in 1..<all.count {
            #expect(readRequest(all, cutAt: [cut]) == readRequest(all), "cut at \(cut)")
        }
    }

    @Test func `a head that is used again knows nothing of the one before`() throws {
        let first = """
            POST http://a/x?y HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nConnection: keep-alive, x\r\nVia: v\r
            Expect: 100-continue\r\nIdempotency-Key: k\r\nOrigin: o\r\n\r\n
            """
        let second = bytes("GET * HTTP/1.1\r\nHost: b\r\n\r\n")
        var head = try request(first)
        head.reset()
        #expect(try head.read(second.span, limits: ClientLimits()))
        #expect(Outcome.complete(head.summary(second)) == readRequest(second))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /p/x?y=%zz HTTP/1.1\r\nHost:a\r\nContent-Length: 12\r\nX:\t\r\nConnection: close\r\n\r\n",
        "PUT http://h:1/p HTTP/1.0\r\nA: b\tc\r\nTE: trailers\r\nVia: 1.1 x\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: \u{e9}\r\nExpect: 100-Continue\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nSec-Fetch-Site: none\r\n\r\n",
    ])
    func `a good head says the same however it is cut`(_ head: String) {
        let all = bytes(head)
        let whole = readRequest(all)
        for cut in 1..<all.count {
            #expect(readRequest(Array(all[..<cut])) == .incomplete, "up to \(cut)")
            #expect(readRequest(all, cutAt: [cut]) == whole, "cut at \(cut)")
            #expect(readRequest(all, cutAt: [cut, cut]) == whole, "nothing came after \(cut)")
        }
        #expect(readRequest(all, cutAt: 1..<all.count) == whole)
    }
}
