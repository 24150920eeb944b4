/// What no place leads into: where it ends is all that matters.
extension RequestIDScanner {
    @inline(__always)
    mutating func skip(_ bytes: Span<UInt8>, _ i: inout Int) -> State {
        while true {
            i = bytes.endOfPlainMarks(from: i)
            guard i < bytes.count else { return .skip }
            let byte = bytes[i]
            i &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                let next = skipText(bytes, &i)
                if next != .skip { return next }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard push(isObject: byte == UInt8(ascii: "{")) else { return .over }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard isInObject == (byte == UInt8(ascii: "}")) else { return .over }
                depth &-= 1
                if depth == skipFloor { return behindValue }
            default: break
            }
        }
    }

    @inline(__always)
    func skipText(_ bytes: Span<UInt8>, _ i: inout Int) -> State {
        i = bytes.endOfPlainText(from: i)
        guard i < bytes.count else { return .skipText }
        let byte = bytes[i]
        i &+= 1
        return byte == UInt8(ascii: "\"") ? .skip : byte == UInt8(ascii: "\\") ? .skipEscape : .over
    }
}

extension Span<UInt8> {
    /// The first byte from `start` on that means something inside quotes: a quote, a backslash, or a control character
    /// that may not stand there. The end when there is none.
    @inline(__always)
    func endOfPlainText(from start: Int) -> Int {
        var i = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Eight at a time. A byte that has its high bit in `hits` is one of them, as far as the lowest goes.
        while i &+ 8 <= count {
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5c)
            let zeros = (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes
            let hits = (zeros | (word &- ones &* 0x20) & ~word) & (ones &* 0x80)
            if hits != 0 { return i &+ hits.trailingZeroBitCount >> 3 }
            i &+= 8
        }
        while i < count, self[i] >= 0x20, self[i] != 0x22, self[i] != 0x5c { i &+= 1 }
        return i
    }

    /// The first byte from `start` on that may be a quote or a bracket. The end when there is none.
    @inline(__always)
    func endOfPlainMarks(from start: Int) -> Int {
        var i = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        while i &+ 8 <= count {
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            // All four brackets become 0x7f, and few other bytes that JSON has outside of quotes.
            let brackets = (word | (ones &* 0x26)) ^ (ones &* 0x7f)
            let zeros = (quotes &- ones) & ~quotes | (brackets &- ones) & ~brackets
            let hits = zeros & (ones &* 0x80)
            if hits != 0 { return i &+ hits.trailingZeroBitCount >> 3 }
            i &+= 8
        }
        while i < count, self[i] != 0x22, self[i] | 0x26 != 0x7f { i &+= 1 }
        return i
    }
}
