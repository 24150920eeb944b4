/// Where a request stands in a trace: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/).
package struct TraceContext: Sendable, Equatable {
    /// The trace's id, its first and its last eight bytes; not both are 0.
    package let traceHigh: UInt64
    package let traceLow: UInt64
    /// The id of the span that is the parent of what comes next; not 0.
    package let span: UInt64
    /// Whoever began the trace records it.
    package let isSampled: Bool
    /// Nobody in front of the proxy is in it, so that a client's `tracestate` is about another one.
    package let beganHere: Bool

    private init(_ high: UInt64, _ low: UInt64, span: UInt64, isSampled: Bool, beganHere: Bool) {
        traceHigh = high
        traceLow = low
        self.span = span
        self.isSampled = isSampled
        self.beganHere = beganHere
    }

    /// A trace that begins here. The numbers are random ones; 0, which would be no id, becomes 1.
    package static func root(
        _ high: UInt64, _ low: UInt64, span: UInt64, isSampled: Bool
    ) -> TraceContext {
        TraceContext(
            high, high == 0 && low == 0 ? 1 : low, span: max(span, 1), isSampled: isSampled, beganHere: true)
    }

    /// The next span of the same trace, by a random number.
    package func child(span: UInt64) -> TraceContext {
        TraceContext(
            traceHigh, traceLow, span: max(span, 1), isSampled: isSampled, beganHere: beganHere)
    }
}

// MARK: Reading

extension TraceContext {
    /// Bytes of a `traceparent` of version 00.
    package static let bytesCount = 55

    /// What the request says; nil when it has no `traceparent`, more than one, or none that is valid (§4.3).
    /// Costs next to nothing where none is.
    package static func read(_ fields: borrowing MessageFields, _ head: Span<UInt8>) -> TraceContext? {
        var context: TraceContext?
        var hasOne = false
        for line in fields.lines where line.known == .other && isParent(line, head) {
            guard !hasOne else { return nil }
            hasOne = true
            context = TraceContext(head.extracting(line.value))
        }
        return context
    }

    private static func isParent(_ line: FieldLine, _ head: Span<UInt8>) -> Bool {
        line.nameEnd - line.start == 11 && head.extracting(line.name).isName("traceparent")
    }

    /// Whether a field of the client's gives way to this: its `traceparent`, and a `tracestate` that belongs to none or
    /// to an invalid one (§4.3).
    func replaces(_ line: FieldLine, _ head: Span<UInt8>) -> Bool {
        guard line.known == .other else { return false }
        if Self.isParent(line, head) { return true }
        return beganHere && line.nameEnd - line.start == 10 && head.extracting(line.name).isName("tracestate")
    }

    /// `version-trace-span-flags` (§3.2). A later version begins in the same way and may go on behind a hyphen.
    package init?(_ text: Span<UInt8>) {
        guard text.count >= Self.bytesCount, let version = Self.hex(text, 0..<2), version != 0xff,
            text.count == Self.bytesCount || version > 0 && text[Self.bytesCount] == Self.hyphen,
            text[2] == Self.hyphen, text[35] == Self.hyphen, text[52] == Self.hyphen,
            let high = Self.hex(text, 3..<19), let low = Self.hex(text, 19..<35), high != 0 || low != 0,
            let span = Self.hex(text, 36..<52), span != 0, let flags = Self.hex(text, 53..<55)
        else { return nil }
        // Of the flags, level 1 knows the lowest; the others are not to be passed on (§3.2.2.5).
        self.init(high, low, span: span, isSampled: flags & 1 != 0, beganHere: false)
    }

    /// In lower case only.
    private static func hex(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for i in range {
            let byte = text[i]
            let digit: UInt8
            if Characters.isDigit(byte) {
                digit = byte &- UInt8(ascii: "0")
            } else if byte &- UInt8(ascii: "a") < 6 {
                digit = byte &- UInt8(ascii: "a") &+ 10
            } else {
                return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    private static let hyphen = UInt8(ascii: "-")
}

// MARK: Writing

extension TraceContext {
    /// The value of a `traceparent`, of version 00.
    package func write(into out: Buffer) {
        out.append("00-")
        Self.write(traceHigh, into: out)
        Self.write(traceLow, into: out)
        out.append(byte: Self.hyphen)
        Self.write(span, into: out)
        out.append(isSampled ? "-01" : "-00")
    }

    private static func write(_ number: UInt64, into out: Buffer) {
        let room = out.writable(atLeast: 16)
        for i in 0..<16 { room[i] = digit(number, i) }
        out.didWrite(16)
    }

    /// The trace's id as everybody writes it.
    package var traceText: String {
        String(unsafeUninitializedCapacity: 32) { room in
            for i in 0..<16 {
                room[i] = Self.digit(traceHigh, i)
                room[16 + i] = Self.digit(traceLow, i)
            }
            return 32
        }
    }

    package var spanText: String { Self.text(span) }

    /// A span's id as everybody writes it.
    static func text(_ span: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { room in
            for i in 0..<16 { room[i] = digit(span, i) }
            return 16
        }
    }

    /// The hexadecimal digit number `index`, counted from the front.
    private static func digit(_ number: UInt64, _ index: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
