import Testing
import TollkeyCore

/// Good messages with a few bytes changed: an answer every time, the same however they are cut, and whatever passes
/// is as unambiguous behind this proxy as in front of it.
struct MutationTests {
    private static let requests: [[UInt8]] = [
        "GET /acme/x?y=1 HTTP/1.1\r\nHost: localhost:80\r\nAccept: */*\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n",
        "POST /acme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\nhello, world",
        "PUT http://localhost/acme/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTE: x\r\n\r\n0\r\n\r\n",
        "DELETE /acme/a/../b HTTP/1.0\r\nConnection: keep-alive\r\nVia: 1.0 x\r\nAuthorization: y\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nX_Key: 1\r\nOrigin: null\r\nIdempotency-Key: k\r\n\r\n",
    ].map(bytes)
    private static let answers: [[UInt8]] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\nConnection: X\r\nX: y\r\n\r\nhello",
        "HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\nLocation: https://api.acme.test/v1/x\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 204 \r\nTollkey-Problem: x\r\nKeep-Alive: x\r\nContent-Length: 0\r\n\r\n",
    ].map(bytes)
    private static let chunked: [[UInt8]] = [
        "5\r\nhello\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\nGET /",
        "1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n",
    ].map(bytes)

    @Test func `a request that is accepted is forwarded as one that is accepted again`() {
        var dice = Dice(seed: 21)
        var accepted = 0
        for round in 0..<10_000 {
            let all = mutated(Self.requests, &dice)
            let whole = readRequest(all)
            let cuts = all.isEmpty ? [] : [Int.random(in: 0..<all.count, using: &dice)]
            let inParts = readRequest(all, cutAt: cuts)
            // In parts, what is wrong in a line may be seen only once a control character comes.
            let isRefusedLater = readRequest(all + [10], cutAt: cuts + [all.count]).isRefused
            guard whole == inParts || whole.isRefused && isRefusedLater else {
                Issue.record("\(round): \(text(all)) is \(whole), but cut at \(cuts) it is \(inParts)")
                return
            }
            guard case .complete = whole else { continue }
            accepted += 1
            if let wrong = forwardedWrongly(all) {
                Issue.record("\(round): \(text(all)) \(wrong)")
                return
            }
        }
        #expect((500..<9_500).contains(accepted))
    }

    @Test func `an answer that is accepted is passed back as one that is accepted again`() {
        var dice = Dice(seed: 22)
        var accepted = 0
        for round in 0..<5_000 {
            let all = mutated(Self.answers, &dice)
            let whole = readResponse(all)
            let cuts = all.isEmpty ? [] : [Int.random(in: 0..<all.count, using: &dice)]
            let inParts = readResponse(all, cutAt: cuts)
            guard whole == inParts || whole.isRefused && inParts.isRefused else {
                Issue.record("\(round): \(text(all)) is \(whole), but cut at \(cuts) it is \(inParts)")
                return
            }
            guard case .complete = whole else { continue }
            accepted += 1
            if let wrong = returnedWrongly(all) {
                Issue.record("\(round): \(text(all)) \(wrong)")
                return
            }
        }
        #expect((250..<4_750).contains(accepted))
    }

    @Test
    func `a chunked message that is accepted is the same however it is cut, and again when written anew`()
        throws
    {
        var dice = Dice(seed: 23)
        var accepted = 0
        for round in 0..<5_000 {
            let all = mutated(Self.chunked, &dice)
            let whole = try? decode(.chunked, [all])
            let inParts = try? decode(.chunked, dice.parts(all))
            guard whole == inParts else {
                Issue.record("\(round): \(text(all)) is another message in parts")
                return
            }
            guard let whole, whole.hasEnded else { continue }
            accepted += 1
            let again = Buffer(capacity: 64)
            for part in dice.parts(whole.content) where !part.isEmpty {
                again.appendChunkSize(part.count)
                again.append(part)
                again.append("\r\n")
            }
            again.append("0\r\n" + whole.trailers + "\r\n")
            var expected = whole
            expected.left = 0
            #expect(try decode(.chunked, [Array(again.readable)]) == expected)
        }
        #expect((250..<4_750).contains(accepted))
    }

    private func mutated(_ messages: [[UInt8]], _ dice: inout Dice) -> [UInt8] {
        var bytes = messages.randomElement(using: &dice) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &dice) { mutate(&bytes, &dice) }
        return bytes
    }

    private static let pieces: [[UInt8]] = [
        "\r", "\n", "\r\n", " ", "\t", "\0", ":", ";", ",", "/", ".", "..", "%2e", "%2f", "?", "#", "_", "-",
        "0", "1",
        "Host: a\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: Content-Length\r\n",
        "x_key: mine\r\n", "Cookie: c\r\n", "0\r\n\r\n", "HTTP/1.0", "http://a", "é",
    ].map(bytes)

    private func mutate(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: bytes.indices, using: &dice)
        let end = min(bytes.count, at + Int.random(in: 1...20, using: &dice))
        let piece = Self.pieces.randomElement(using: &dice) ?? []
        switch Int.random(in: 0..<8, using: &dice) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &dice)
        case 2: bytes.insert(contentsOf: piece, at: at)
        case 3: bytes.insert(contentsOf: piece, at: lineStart(bytes, &dice))
        case 4: bytes.removeSubrange(at..<end)
        case 5: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: bytes.indices, using: &dice))
        case 6: bytes.replaceSubrange(at..<min(at + 1, bytes.count), with: piece)
        default: bytes[at] ^= 0x20
        }
    }

    /// Behind one of the line feeds, where a whole line does most.
    private func lineStart(_ bytes: [UInt8], _ dice: inout Dice) -> Int {
        let ends = bytes.indices.filter { bytes[$0] == 10 }
        return ends.randomElement(using: &dice).map { $0 + 1 } ?? 0
    }
}
