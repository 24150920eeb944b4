import Testing
import TollkeyCore

struct MessageFieldsTests {
    private func all(_ lines: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n" }

    @Test(arguments: [
        ("close", true, false, false), ("CLOSE", true, false, false), (" ,close,", true, false, false),
        ("keep-alive", false, true, false), ("Keep-Alive,\tclose", true, true, false),
        ("", false, false, false), (", ,\t,", false, false, false), ("x", false, false, true),
        ("close, x", true, false, true), ("closed", false, false, true), ("clo se", false, false, true),
    ])
    func `Connection's options are read`(_ value: String, _ close: Bool, _ keep: Bool, _ names: Bool) throws {
        let connection = try request(all("Connection: \(value)")).fields.connection
        #expect(connection.close == close)
        #expect(connection.keepAlive == keep)
        #expect(connection.namesFields == names)
    }

    @Test(arguments: [
        ("X-A", true), ("x-a", true), ("y, X-A", true), (" ,\tX-A\t,", true), ("y,x-A,z", true),
        ("X-AB", false), ("X", false), ("X_A", false), ("close", false), ("X -A", false), ("\"X-A\"", false),
    ])
    func `Connection names a field by its whole name`(_ value: String, _ isNamed: Bool) throws {
        for lines in ["X-A: 1\r\nConnection: \(value)", "Connection: y\r\nX-A: 1\r\nCONNECTION: \(value)"] {
            let all = all(lines)
            let head = try request(all)
            let line = try #require(head.fields.lines.first { text(bytes(all)[$0.name]) == "X-A" })
            let found = head.fields.isNamedByConnection(line, bytes(all).span)
            #expect(found == isNamed)
        }
    }

    @Test(arguments: [
        ("Expect: 100-continue", [true, false, false, false]),
        ("EXPECT:100-Continue", [true, false, false, false]),
        ("Idempotency-Key: k", [false, true, false, false]),
        ("Idempotency-Key:", [false, false, false, false]),
        ("Idempotency_Key: k", [false, false, false, false]), ("Via: 1.1 x", [false, false, true, false]),
        ("Origin: null", [false, false, false, true]), ("Sec-Fetch-Site: none", [false, false, false, true]),
        ("Sec_Fetch_Site: none", [false, false, false, false]), ("X: y", [false, false, false, false]),
    ])
    func `what the exchange asks about is noted`(_ line: String, _ expected: [Bool]) throws {
        let head = try request(all(line))
        let hasKey = head.fields.hasIdempotencyKey(bytes(all(line)).span)
        let found = [head.fields.expectsContinue, hasKey, head.fields.hasVia, head.fields.hasBrowserFields]
        #expect(found == expected)
    }

    @Test func `Connection names no more fields than its bound`() throws {
        let names = (0...ConnectionOptions.namesMax).map { "x-\($0)" }
        _ = try request(all("Connection: close, " + names.dropLast().joined(separator: ",")))
        #expect(throws: HeadError.self) {
            _ = try request(all("Connection: " + names.joined(separator: ",")))
        }
    }

    @Test func `Host is found among the others`() throws {
        #expect(try request("GET / HTTP/1.1\r\nX: y\r\nHost: a\r\nZ: a\r\n\r\n").fields.host == 1)
        #expect(try request("GET / HTTP/1.0\r\nX-Host: y\r\n\r\n").fields.host == nil)
    }
}
