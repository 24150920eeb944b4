import Testing
import TollkeyCore

struct ResponseHeadTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", 200, "200 OK", 1), ("HTTP/1.1 200 \r\n\r\n", 200, "200 ", 1),
        ("HTTP/1.1 200\r\n\r\n", 200, "200", 1),
        ("HTTP/1.0 404 Not  Found\r\nA: b\r\n\r\n", 404, "404 Not  Found", 0),
        ("HTTP/1.1 100 Continue\r\n\r\n", 100, "100 Continue", 1),
        ("HTTP/1.1 999 é\t!\r\n\r\n", 999, "999 é\t!", 1),
    ])
    func `a head is taken apart`(_ head: String, _ status: Int, _ reason: String, _ version: Int) throws {
        let answer = try response(head)
        #expect(answer.status == status)
        #expect(text(bytes(head)[answer.statusAndReason]) == reason)
        #expect(answer.minorVersion == version)
        #expect(answer.isInterim == (status == 100))
        #expect(answer.end == head.utf8.count)
        #expect(try response(head + "HTTP/1.1 500 \0").end == head.utf8.count)
    }

    static let refused: [(String, String)] = [
        ("HTTP/2 200 OK\r\n\r\n", "does not begin with HTTP/1"),
        ("http/1.1 200 OK\r\n\r\n", "does not begin"),
        ("ICY 200 OK\r\n\r\n", "does not begin"), (" HTTP/1.1 200 OK\r\n\r\n", "does not begin"),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", "does not begin"), ("<html>not HTTP</html>", "does not begin"),
        ("HTTP/1.2 200 OK\r\n\r\n", "no valid status line"), ("HTTP/1.11 200 OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1  200 OK\r\n\r\n", "no valid status"), ("HTTP/1.1\t200 OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1 20 OK\r\n\r\n", "no valid status"), ("HTTP/1.1 2000 OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1 099 OK\r\n\r\n", "no valid status"), ("HTTP/1.1 2x0 OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1 -20 OK\r\n\r\n", "no valid status"), ("HTTP/1.1 +20 OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1 200\tOK\r\n\r\n", "no valid status"), ("HTTP/1.1 200OK\r\n\r\n", "no valid status"),
        ("HTTP/1.1 200\n\r\n\r\n", "no valid status"), ("HTTP/1.1 \r\n\r\n\r\n", "no valid status"),
        ("HTTP/1.1 200 O\0K\r\n\r\n", "control character"),
        ("HTTP/1.1 200 O\u{7f}K\r\n\r\n", "control character"),
        ("HTTP/1.1 200 OK\nA: b\r\n\r\n", "control character"), ("HTTP/1.1 200 OK\rA: b\r\n\r\n", "CR LF"),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "a field name"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "a field name"),
        ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "a field name"),
        ("HTTP/1.1 200 OK\r\nA\r\n\r\n", "a field name"),
        ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", "no name"),
        ("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "a field value"),
        ("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", "bare CR"),
        ("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "a field value"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "more than one Content-Length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "no plain number"),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "no plain number"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 01\r\n\r\n", "no plain number"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "exactly 'chunked'"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "exactly 'chunked'"
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "both"),
        ("HTTP/1.1 304 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"),
    ]

    @Test(arguments: refused)
    func `a head that could be read in two ways is refused, however it is cut`(
        _ head: String, _ words: String
    ) {
        let all = bytes(head)
        guard case .refused(let reason) = readResponse(all) else {
            Issue.record("accepted")
            return
        }
        #expect(reason.contains(words))
        for cut in 1..<all.count { #expect(readResponse(all, cutAt: [cut]).isRefused, "cut at \(cut)") }
        #expect(readResponse(all, cutAt: 1..<all.count).isRefused)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX: é\r\n\r\n", "HTTP/1.0 204\r\n\r\n",
        "HTTP/1.1 500 \r\nTransfer-Encoding: Chunked\r\nConnection: close, X\r\nX:\t\r\n\r\n",
    ])
    func `a good head says the same however it is cut`(_ head: String) {
        let all = bytes(head)
        let whole = readResponse(all)
        for cut in 0..<all.count {
            #expect(readResponse(Array(all[..<cut])) == .incomplete, "up to \(cut)")
            #expect(readResponse(all, cutAt: [cut]) == whole, "cut at \(cut)")
        }
        #expect(readResponse(all, cutAt: 1..<all.count) == whole)
    }

    @Test(arguments: [
        ("200", "Content-Length: 5", BodyFraming.length(5), BodyFraming.length(0)),
        ("200", "Content-Length: 0", .length(0), .length(0)), ("200", "X: y", .untilClose, .length(0)),
        ("200", "Transfer-Encoding: chunked", .chunked, .length(0)),
        ("404", "Content-Length: 5", .length(5), .length(0)), ("205", "X: y", .untilClose, .length(0)),
        ("204", "Content-Length: 5", .length(0), .length(0)), ("204", "X: y", .length(0), .length(0)),
        ("304", "Content-Length: 5", .length(0), .length(0)),
        ("304", "Transfer-Encoding: chunked", .length(0), .length(0)),
        ("100", "X: y", .length(0), .length(0)), ("103", "Content-Length: 5", .length(0), .length(0)),
        ("199", "Transfer-Encoding: chunked", .length(0), .length(0)),
    ])
    func `framing follows RFC 9112 section 6.3`(
        _ status: String, _ line: String, _ framing: BodyFraming, _ toHead: BodyFraming
    ) throws {
        let answer = try response("HTTP/1.1 \(status) X\r\n\(line)\r\n\r\n")
        #expect(answer.framing(toHead: false) == framing)
        #expect(answer.framing(toHead: true) == toHead)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nConnection: X, Close\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\n\r\n", false), ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n\r\n", false),
    ])
    func `persistence follows RFC 9112 section 9.3`(_ head: String, _ persists: Bool) throws {
        #expect(try response(head).isPersistent == persists)
    }

    @Test func `a head may have as many bytes as its bound says`() {
        let start = bytes("HTTP/1.1 200 OK\r\nX: ")
        func head(_ count: Int) -> [UInt8] {
            start + repeatElement(UInt8(ascii: "x"), count: count - start.count - 4) + bytes("\r\n\r\n")
        }
        let good = head(ResponseHead.bytesMax)
        let long = head(ResponseHead.bytesMax + 1)
        for cuts in [[], [10], [30_000], [ResponseHead.bytesMax]] {
            #expect(!readResponse(good, cutAt: cuts).isRefused)
            #expect(readResponse(long, cutAt: cuts) == .refused("head too large"))
        }
        #expect(!readResponse(good + long).isRefused)
    }

    @Test func `a head without end is refused once it is too long, and not before`() {
        for start in ["HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: "] {
            let endless = bytes(start) + repeatElement(UInt8(ascii: "x"), count: ResponseHead.bytesMax)
            #expect(readResponse(Array(endless.prefix(ResponseHead.bytesMax))) == .incomplete)
            #expect(
                readResponse(Array(endless.prefix(ResponseHead.bytesMax + 1))) == .refused("head too large"))
        }
    }

    @Test func `a head may have as many fields as its bound says`() {
        let fields = String(repeating: "X: y\r\n", count: ResponseHead.linesMax)
        #expect(!readResponse(bytes("HTTP/1.1 200 OK\r\n\(fields)\r\n")).isRefused)
        #expect(readResponse(bytes("HTTP/1.1 200 OK\r\n\(fields)X: y\r\n\r\n")) == .refused("head too large"))
    }

    @Test func `a head that is used again knows nothing of the one before`() throws {
        var head = try response(
            "HTTP/1.0 500 X\r\nContent-Length: 3\r\nConnection: close, x\r\nVia: v\r\n\r\n")
        let next = bytes("HTTP/1.1 200\r\n\r\n")
        head.reset()
        #expect(try head.read(next.span))
        #expect(Outcome.complete(head.summary(next)) == readResponse(next))
    }
}
