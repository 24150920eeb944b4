import Testing
import TollkeyCore

struct BufferTests {
    @Test(arguments: [0, 1, 16, 300])
    func `it behaves as an array that is appended to and taken from in front`(_ capacity: Int) {
        var dice = Dice(seed: UInt64(capacity))
        let buffer = Buffer(capacity: capacity)
        var model: [UInt8] = []
        for _ in 0..<3_000 {
            step(buffer, &model, &dice)
            let isEqual = Array(buffer.readable) == model && buffer.read { $0.equals(model) }
            guard isEqual, buffer.count == model.count, buffer.isEmpty == model.isEmpty else {
                Issue.record("\(Array(buffer.readable)) is not \(model)")
                return
            }
        }
    }

    private func step(_ buffer: Buffer, _ model: inout [UInt8], _ dice: inout Dice) {
        switch Int.random(in: 0..<12, using: &dice) {
        case 0...2:
            let some = dice.bytes(0...100)
            buffer.append(some)
            model += some
        case 3:
            let some = dice.bytes(0...40)
            buffer.append(some.span)
            model += some
        case 4:
            buffer.append(byte: 7)
            model.append(7)
        case 5:
            let some = dice.bytes(1...60)
            // More room than is used, which is what reading from a socket does.
            let room = buffer.writable(atLeast: some.count + 10)
            #expect(room.count >= some.count + 10)
            room.copyBytes(from: some)
            buffer.didWrite(some.count)
            model += some
        case 6:
            buffer.append("text é")
            model += Array("text é".utf8)
        case 7...10:
            let count = Int.random(in: 0...120, using: &dice)
            buffer.drop(count)
            model.removeFirst(min(count, model.count))
        default:
            if Int.random(in: 0..<10, using: &dice) == 0 {
                buffer.clear()
                model = []
            }
        }
    }

    @Test func `room at its front is used again before it grows`() {
        let buffer = Buffer(capacity: 100)
        buffer.append([UInt8](repeating: 1, count: 100))
        for _ in 0..<50 {
            buffer.drop(60)
            buffer.append([UInt8](repeating: 2, count: 60))
        }
        #expect(buffer.capacity == 100)
        #expect(buffer.count == 100)
    }

    @Test func `room at its front is used only when there is enough`() {
        for (taken, appended) in (40...100).flatMap({ taken in (taken - 2...taken + 2).map { (taken, $0) } })
        {
            let buffer = Buffer(capacity: 100)
            buffer.append([UInt8](repeating: 1, count: 100))
            buffer.drop(taken)
            #expect(buffer.writable(atLeast: appended).count >= appended)
            #expect(Array(buffer.readable) == [UInt8](repeating: 1, count: 100 - taken))
        }
    }

    @Test func `it grows to what is needed and keeps what it holds`() {
        let buffer = Buffer(capacity: 4)
        buffer.append([1, 2, 3])
        buffer.append([UInt8](repeating: 9, count: 1_000))
        #expect(buffer.capacity >= 1_003)
        #expect(Array(buffer.readable.prefix(4)) == [1, 2, 3, 9])
    }

    @Test func `no more is written than there is room for`() {
        let buffer = Buffer(capacity: 8)
        buffer.didWrite(9)
        #expect(buffer.count == 8)
    }

    @Test(arguments: [
        (0, "0"), (1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"),
        (4_095, "fff"), (65_535, "ffff"), (65_536, "10000"), (0xabc_def0, "abcdef0"),
        (Int.max, "7fffffffffffffff"),
    ])
    func `a chunk size is hexadecimal, without zeros in front`(_ size: Int, _ digits: String) {
        #expect(written { $0.appendChunkSize(size) } == digits + "\r\n")
    }

    @Test(arguments: [(0, "0"), (7, "7"), (1_234_567, "1234567"), (-5, "-5")])
    func `a decimal number is plain`(_ number: Int, _ digits: String) {
        #expect(written { $0.append(decimal: number) } == digits)
    }
}
