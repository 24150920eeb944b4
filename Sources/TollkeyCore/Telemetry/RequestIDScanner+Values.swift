/// Values and names: what is between quotes, numbers and words.
extension RequestIDScanner {
    // MARK: Texts

    @inline(__always)
    mutating func beginText(isName: Bool, into sink: Sink) -> State {
        self.isName = isName
        begin(sink)
        return .text
    }

    @inline(__always)
    private mutating func begin(_ sink: Sink) {
        self.sink = sink
        keptCount = 0
        isKeptWhole = true
    }

    @inline(__always)
    mutating func text(_ bytes: Span<UInt8>, _ i: inout Int) -> State {
        let start = i
        i = bytes.endOfPlainText(from: i)
        if sink != .nothing { keep(bytes, start..<i) }
        guard i < bytes.count else { return .text }
        let byte = bytes[i]
        i &+= 1
        switch byte {
        case UInt8(ascii: "\""): return endText()
        case UInt8(ascii: "\\"): return .escape
        default: return .over
        }
    }

    private mutating func keep(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard keptCount + range.count <= kept.count else {
            isKeptWhole = false
            return
        }
        for i in range {
            kept[keptCount] = bytes[i]
            keptCount &+= 1
        }
    }

    mutating func escaped(_ byte: UInt8, _ state: State) -> State {
        let next = escape.read(byte, state)
        guard next == .text, sink != .nothing, let scalar = escape.scalar else { return next }
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            guard keptCount < kept.count else {
                isKeptWhole = false
                break
            }
            kept[keptCount] = byte
            keptCount &+= 1
        }
        return next
    }

    @inline(__always)
    private mutating func endText() -> State {
        guard isName else { return sink == .value ? take() : behindValue }
        live = 0
        if sink == .name, isKeptWhole, let plan {
            live = plan.members(inside[depth], at: depth - 1, named: kept.span.extracting(0..<keptCount))
        }
        return .colon
    }

    /// What is kept stands at the end of a place.
    private mutating func take() -> State {
        guard isKeptWhole, let id = RequestIDText.taken(kept.span.extracting(0..<keptCount)) else {
            return behindValue
        }
        found = id
        // Only what wins over it is still worth looking for.
        let best = UInt8(truncatingIfNeeded: ending.trailingZeroBitCount)
        wanted &= 1 << best - 1
        return wanted == 0 ? .over : behindValue
    }

    // MARK: Numbers and words

    mutating func beginNumber(_ byte: UInt8) -> State {
        begin(valueSink)
        kept[0] = byte
        keptCount = 1
        switch byte {
        case UInt8(ascii: "-"): return .minus
        case UInt8(ascii: "0"): return .zero
        default: return Characters.isDigit(byte) ? .integer : .over
        }
    }

    @inline(__always)
    mutating func digits(_ bytes: Span<UInt8>, _ i: inout Int) {
        let start = i
        while i < bytes.count, Characters.isDigit(bytes[i]) { i &+= 1 }
        if sink != .nothing { keep(bytes, start..<i) }
    }

    /// A byte of a number, apart from digits that go on; or the one behind it, which is looked at again.
    mutating func number(_ byte: UInt8, _ state: State, _ i: inout Int) -> State {
        let isDigit = Characters.isDigit(byte)
        let isExponent = byte | 0x20 == UInt8(ascii: "e")
        let next: State
        switch state {
        case .minus where isDigit: next = byte == UInt8(ascii: "0") ? .zero : .integer
        case .point where isDigit: next = .fraction
        case .exponent where isDigit, .exponentSign where isDigit: next = .exponentDigits
        case .exponent where byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"): next = .exponentSign
        case .zero where byte == UInt8(ascii: "."), .integer where byte == UInt8(ascii: "."): next = .point
        case .zero where isExponent, .integer where isExponent, .fraction where isExponent: next = .exponent
        case .zero, .integer: return sink == .value ? take() : behindValue
        case .fraction, .exponentDigits: return behindValue
        default: return .over
        }
        // What is more than a whole number is not kept, nor taken.
        if sink == .value, keptCount < kept.count {
            kept[keptCount] = byte
            keptCount += 1
        }
        i &+= 1
        return next
    }

    mutating func beginLiteral(_ word: StaticString) -> State {
        self.word = word
        wordPosition = 1
        return .literal
    }

    mutating func literal(_ byte: UInt8) -> State {
        guard byte == word.utf8Start[wordPosition] else { return .over }
        wordPosition += 1
        return wordPosition == word.utf8CodeUnitCount ? behindValue : .literal
    }
}
