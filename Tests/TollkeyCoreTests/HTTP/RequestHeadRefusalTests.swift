import Testing
import TollkeyCore

/// What two parsers could read differently is refused, and each rule says so in its own words.
struct RequestHeadRefusalTests {
    private static let noMethod = "does not begin with a method"
    private static let badTarget = "the request target holds a character"
    private static let badVersion = "does not end in HTTP/1.1 or HTTP/1.0 and CR LF"
    private static let badForm = "neither a path nor an http URL"

    static let lines: [(String, String)] = [
        (" GET / HTTP/1.1", noMethod), ("\tGET / HTTP/1.1", noMethod), ("GET", noMethod),
        ("GET\t/ HTTP/1.1", noMethod), ("GET:/ HTTP/1.1", noMethod), ("G(T / HTTP/1.1", noMethod),
        ("G\0T / HTTP/1.1", noMethod), ("GÉT / HTTP/1.1", noMethod), ("/ HTTP/1.1", noMethod),
        (String(repeating: "M", count: 33) + " / HTTP/1.1", noMethod),
        ("GET  / HTTP/1.1", badTarget), ("GET  HTTP/1.1", badTarget), ("GET /", badTarget),
        ("GET /\tHTTP/1.1", badTarget), ("GET /\0 HTTP/1.1", badTarget), ("GET /\u{7f} HTTP/1.1", badTarget),
        ("GET /é HTTP/1.1", badTarget), ("GET /\r HTTP/1.1", badTarget), ("GET /\n HTTP/1.1", badTarget),
        ("GET /  HTTP/1.1", badVersion), ("GET / HTTP/1.1 ", badVersion), ("GET / HTTP/1.1\t", badVersion),
        ("GET /a b HTTP/1.1", badVersion), ("GET / http/1.1", badVersion), ("GET / Http/1.1", badVersion),
        ("GET / HTTP/1.2", badVersion), ("GET / HTTP/0.9", badVersion), ("GET / HTTP/2.0", badVersion),
        ("PRI * HTTP/2.0", badVersion),
        ("GET / HTTP/1.", badVersion), ("GET / HTTP/1", badVersion), ("GET / HTTP/2", badVersion),
        ("GET / HTTP/1.10", badVersion), ("GET / HTTP/1.1.", badVersion), ("GET / HTTP/01.1", badVersion),
        ("GET / HTTP/1,1", badVersion), ("GET / ICY/1.1", badVersion), ("GET / ", badVersion),
        ("GET / HTTP/1.1\rHost: a", badVersion), ("GET / HTTP/1.1\nHost: a", badVersion),
        ("GET / HTTP/1.1\r", badVersion), ("GET / HTTP/1.?", badVersion),
        ("GET p HTTP/1.1", badForm), ("GET ?q HTTP/1.1", badForm), ("GET ** HTTP/1.1", badForm),
        ("GET */ HTTP/1.1", badForm), ("CONNECT a:443 HTTP/1.1", badForm), ("GET a HTTP/1.1", badForm),
        ("GET https://a/ HTTP/1.1", badForm), ("GET ftp://a/ HTTP/1.1", badForm),
        ("GET http:/a/ HTTP/1.1", badForm), ("GET http://", badTarget),
        ("GET http:// HTTP/1.1", "names no host"), ("GET http:///p HTTP/1.1", "names no host"),
        ("GET http://?q HTTP/1.1", "names no host"),
        ("GET http://a HTTP/1.1", "has no path"), ("GET http://a?q HTTP/1.1", "has no path"),
    ]

    @Test(arguments: lines)
    func `a request line is refused`(_ line: String, _ words: String) {
        expectRefusal(line + "\r\nHost: a\r\n\r\n", words)
    }

    private static let badName = "a field name holds a character"
    private static let badValue = "a field value holds a control character"
    private static let badLength = "a Content-Length that is no plain number"
    private static let badCoding = "a Transfer-Encoding other than exactly 'chunked'"
    private static let both = "both Content-Length and Transfer-Encoding"

    static let fields: [(String, String)] = [
        ("X : 1", badName), ("X\t: 1", badName), (" X: 1", badName), ("\tX: 1", badName),
        ("X: 1\r\n 2", badName), ("X: 1\r\n\t2", badName), ("X: 1\r\n : 2", badName),
        ("X", badName), ("X Y: 1", badName), ("X(1): 1", badName), ("\"X\": 1", badName),
        ("\u{e9}: 1", badName), ("X\0: 1", badName), ("X\n: 1", badName), ("\nX: 1", badName),
        (": 1", "a field has no name"), (":", "a field has no name"),
        ("X: a\nY: b", badValue), ("X: a\n", badValue), ("X: \0", badValue), ("X: a\u{1}", badValue),
        ("X: \u{b}", badValue), ("X: \u{7f}", badValue), ("X:\u{1f}1", badValue),
        ("X: a\rb", "a bare CR"), ("X: a\r\r", "a bare CR"), ("\rX: 1", "a bare CR"),
        ("X: a\r\n\r\rX: b", "a bare CR"), ("X:\r a", "a bare CR"),
        ("Host: a", "more than one Host"), ("host: b", "more than one Host"), ("HOST:", "more than one Host"),
        ("Content-Length:", badLength), ("Content-Length: +1", badLength), ("Content-Length: -1", badLength),
        ("Content-Length: 1 2", badLength), ("Content-Length: 1,1", badLength),
        ("Content-Length: 1, 1", badLength), ("Content-Length: 0x1", badLength),
        ("Content-Length: 1.0", badLength), ("Content-Length: 1e3", badLength),
        ("Content-Length: 01", badLength), ("Content-Length: 00", badLength),
        ("Content-Length: 1_0", badLength),
        ("Content-Length: 1;", badLength), ("Content-Length: \"1\"", badLength),
        ("Content-Length: ١", badLength),
        ("Content-Length: 1000000000000000000", badLength),
        ("Content-Length: 9223372036854775808", badLength),
        ("Content-Length: 18446744073709551617", badLength),
        ("content-LENGTH: 1\r\nContent-Length: 1", "more than one Content-Length"),
        ("Content-Length: 1\r\nX: y\r\nContent-Length: 2", "more than one Content-Length"),
        ("Transfer-Encoding:", badCoding), ("Transfer-Encoding: gzip", badCoding),
        ("Transfer-Encoding: gzip, chunked", badCoding), ("Transfer-Encoding: chunked, gzip", badCoding),
        ("Transfer-Encoding: chunked, chunked", badCoding), ("Transfer-Encoding: chunked,", badCoding),
        ("Transfer-Encoding: ,chunked", badCoding), ("Transfer-Encoding: chunked;q=1", badCoding),
        ("Transfer-Encoding: identity", badCoding), ("Transfer-Encoding: \"chunked\"", badCoding),
        ("Transfer-Encoding: xchunked", badCoding), ("Transfer-Encoding: chunke", badCoding),
        ("Transfer-Encoding: chunked\u{c}", badValue), ("Transfer-Encoding:\u{b}chunked", badValue),
        ("Transfer-Encoding : chunked", badName), ("Transfer-Encoding\0: chunked", badName),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", badCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", badCoding),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", both),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", both),
        ("Expect: 200-ok", "an Expect other than 100-continue"),
        ("Expect:", "an Expect other than 100-continue"),
    ]

    @Test(arguments: fields)
    func `a field is refused`(_ lines: String, _ words: String) {
        expectRefusal("POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n", words)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "no Host"), ("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", "no Host"),
        ("GET http://a/ HTTP/1.1\r\n\r\n", "no Host"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding in an HTTP/1.0 request"),
        (
            "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding in an HTTP/1.0 request"
        ),
    ])
    func `a head as a whole is refused`(_ head: String, _ words: String) { expectRefusal(head, words) }

    /// At once, at every cut, and byte by byte; in parts an error may come earlier and for a nearer reason.
    private func expectRefusal(
        _ head: String, _ words: String, at location: SourceLocation = #_sourceLocation
    ) {
        let all = bytes(head)
        guard case .refused(let reason) = readRequest(all) else {
            Issue.record("accepted", sourceLocation: location)
            return
        }
        #expect(reason.contains(words), sourceLocation: location)
        for cut in 1..<all.count {
            #expect(readRequest(all, cutAt: [cut]).isRefused, "cut at \(cut)", sourceLocation: location)
        }
        #expect(readRequest(all, cutAt: 1..<all.count).isRefused, "byte by byte", sourceLocation: location)
    }
}
