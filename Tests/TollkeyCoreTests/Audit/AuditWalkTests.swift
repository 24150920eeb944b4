import Testing
import TollkeyCore

struct AuditWalkTests {
    /// Good enough for what a test changes (FNV-1a, four times with another start); the real one is the server's.
    private static let chain = AuditChain { message in
        (0..<4).flatMap { start in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ UInt64(start)
            for byte in message { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) }
        }
    }

    private func rows(_ count: Int64, after start: AuditLink = .beginning) throws -> [AuditRow] {
        var rows: [AuditRow] = []
        var last = start
        for number in 0..<count {
            let content = AuditEntry(time: number, event: AuditEvent(.obtain, words: "\(number)")).encode()
            last = try #require(Self.chain.link(content, after: last))
            rows.append(AuditRow(link: last, content: content))
        }
        return rows
    }

    private func ends(_ rows: [AuditRow], after start: AuditLink = .beginning) -> AuditEnds {
        var ends = AuditEnds()
        ends.removed = start
        ends.last = rows.last?.link ?? start
        return ends
    }

    private func breaks(_ rows: [AuditRow], _ ends: AuditEnds?) -> [AuditBreak] {
        var walk = AuditWalk(ends, Self.chain)
        for row in rows { _ = walk.take(row) }
        walk.finish()
        return walk.breaks
    }

    @Test func `a trail as it was written has no break, also a part behind removed entries`() throws {
        let rows = try rows(20)
        #expect(breaks(rows, ends(rows)) == [])
        #expect(breaks(Array(rows[12...]), ends(rows, after: rows[11].link)) == [])
        #expect(breaks([], AuditEnds()) == [])
    }

    @Test func `a changed entry is seen, and those behind it are believed`() throws {
        let rows = try rows(20)
        for index in rows.indices {
            for place in rows[index].content.indices {
                var changed = rows
                changed[index].content[place] ^= 1
                #expect(breaks(changed, ends(rows)).map(\.number) == [Int64(index + 1)])
            }
            var changed = rows
            changed[index].link.hash[31] ^= 0x80
            #expect(breaks(changed, ends(rows)).first?.number == Int64(index + 1))
        }
    }

    @Test func `entries that changed places are seen`() throws {
        let rows = try rows(20)
        var swapped = rows
        (swapped[4].content, swapped[9].content) = (rows[9].content, rows[4].content)
        #expect(breaks(swapped, ends(rows)).map(\.number) == [5, 10])
        (swapped[4].link.hash, swapped[9].link.hash) = (rows[9].link.hash, rows[4].link.hash)
        #expect(breaks(swapped, ends(rows)).map(\.number) == [5, 6, 10, 11])
    }

    @Test func `entries that are missing are seen, wherever they were`() throws {
        let rows = try rows(20)
        for first in rows.indices {
            for last in first..<rows.count {
                var cut = rows
                cut.removeSubrange(first...last)
                #expect(breaks(cut, ends(rows)).first?.number == Int64(first + 1), "\(first)...\(last)")
            }
        }
    }

    @Test func `closing the gap by giving others the numbers is seen`() throws {
        let rows = try rows(20)
        var closed = rows
        closed.remove(at: 7)
        for index in closed.indices { closed[index].link.number = Int64(index + 1) }
        #expect(breaks(closed, ends(rows)).first?.number == 8)
    }

    @Test func `entries that were put in are seen, whatever their numbers`() throws {
        let rows = try rows(20)
        let part = Array(rows[5...])
        for number in [Int64.min, -1, 0, 1, 5, 21, 22, AuditLink.numberMax, .max] {
            var row = rows[3]
            row.link.number = number
            let mixed = (part + [row]).sorted { $0.link.number < $1.link.number }
            #expect(!breaks(mixed, ends(rows, after: rows[4].link)).isEmpty, "\(number)")
        }
    }

    @Test func `ends of another moment are seen, and none at all`() throws {
        let rows = try rows(20)
        #expect(breaks(rows, ends(Array(rows.dropLast()))).map(\.number) == [20])
        #expect(breaks(Array(rows.dropLast()), ends(rows)).map(\.number) == [20])
        #expect(breaks(rows, nil).first?.number == 0)
        #expect(breaks([], nil).count == 1)
    }

    @Test func `a trail that tells of an alteration is not intact`() throws {
        var rows = try rows(3)
        let content = AuditEntry(time: 3, event: AuditEvent(.altered, .unknown)).encode()
        rows.append(
            AuditRow(
                link: try #require(Self.chain.link(content, after: rows[2].link)), content: content))
        #expect(breaks(rows, ends(rows)).map(\.number) == [4])
    }

    @Test func `not more than 20 breaks are kept, and all are counted`() throws {
        let rows = try rows(50).map { AuditRow(link: $0.link, content: []) }
        var walk = AuditWalk(ends(rows), Self.chain)
        for row in rows { _ = walk.take(row) }
        #expect(walk.breaks.count == AuditWalk.breaksMax && walk.breakCount == 50)
    }

    @Test func `ends open as they were sealed, and not when a bit was turned`() throws {
        var ends = AuditEnds()
        ends.removed = AuditLink(number: 7, hash: [UInt8](repeating: 7, count: 32))
        ends.removedTime = -3
        ends.last = AuditLink(number: 9, hash: [UInt8](repeating: 9, count: 32))
        ends.bytes = 1 << 40
        let sealed = try #require(Self.chain.seal(ends))
        #expect(Self.chain.open(sealed) == ends)
        for bit in 0..<sealed.count * 8 {
            var turned = sealed
            turned[bit / 8] ^= 1 << (bit % 8)
            #expect(Self.chain.open(turned) == nil)
        }
        #expect(Self.chain.open([]) == nil && Self.chain.open(sealed + [0]) == nil)
    }

    @Test func `a noted entry is read as it was shown`() {
        let link = AuditLink(number: 1_504, hash: [UInt8](repeating: 0xab, count: 32))
        #expect(link.words == "1504:abababababababab")
        #expect(AuditLink.parse(link.words)?.number == 1_504)
        for words in ["", "1504", "1504:ab", "0:abababababababab", "x:abababababababab", "1:a:b"] {
            #expect(AuditLink.parse(words) == nil)
        }
    }
}
