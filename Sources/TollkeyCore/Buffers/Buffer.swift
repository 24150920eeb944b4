/// Bytes in one piece of memory that are appended at the end and taken from the front.
///
/// A class, so that event loops can keep a few of them and lend them out, instead of allocating for each message.
package final class Buffer {
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    package init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    package var count: Int { end - start }
    package var isEmpty: Bool { start == end }
    package var capacity: Int { memory.count }

    /// What has been appended and not taken. Valid until the next call that changes this buffer.
    package var readable: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[start..<end])
    }

    /// Lends the readable bytes to `body`, which must not change this buffer.
    @inline(__always)
    package func read<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = readable.bindMemory(to: UInt8.self)
        return try body(bytes.span)
    }

    /// Takes `count` bytes from the front.
    package func drop(_ count: Int) {
        start += min(count, self.count)
        if start == end { clear() }
    }

    package func clear() {
        start = 0
        end = 0
    }

    /// Room for at least `count` bytes behind the readable ones; say with `didWrite` how many were filled.
    package func writable(atLeast count: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count - end < count { makeRoom(count) }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    package func didWrite(_ count: Int) { end = min(end + count, memory.count) }

    @inline(__always)
    package func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { append($0) }
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        writable(atLeast: bytes.count).copyMemory(from: bytes)
        end += bytes.count
    }

    package func append(_ bytes: [UInt8]) { append(bytes.span) }

    package func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package func append(byte: UInt8) {
        writable(atLeast: 1)[0] = byte
        end += 1
    }

    package func append(decimal number: Int) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        var digits = 1
        var rest = number.magnitude
        while rest >= 10 {
            digits += 1
            rest /= 10
        }
        rest = number.magnitude
        let room = writable(atLeast: digits)
        for i in (0..<digits).reversed() {
            room[i] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        end += digits
    }

    /// A chunk's size line (RFC 9112 §7.1).
    package func appendChunkSize(_ size: Int) {
        var shift = (Int.bitWidth - 1 - max(size, 1).leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(size >> shift & 15)
            append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
        append("\r\n")
    }

    private func makeRoom(_ needed: Int) {
        let count = self.count
        if start >= needed, count <= memory.count / 2 {
            memory.copyMemory(from: readable)
        } else {
            let bigger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(memory.count * 2, count + needed), alignment: 16)
            bigger.copyMemory(from: readable)
            memory.deallocate()
            memory = bigger
        }
        start = 0
        end = count
    }
}
