/// Finds a request's number in a JSON text (RFC 8259) while the text's pieces stream by.
///
/// Nothing is allocated but the result, and nothing of the text is kept but one name or value. What is no JSON ends the
/// search; what was found before stays found, since it is for a log. Of what no place leads into only quotes and
/// brackets are looked at: that is most of an answer, and goes faster.
struct RequestIDScanner: Sendable {
    /// What may come next. White space may come before it in those of the first line.
    enum State: UInt8 {
        case value, firstElement, firstMember, member, colon, next
        /// Inside quotes; the others are inside an escape there.
        case text, escape, hex, secondEscape, secondHex
        case minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits
        case literal
        /// Inside of what no place leads into; then inside quotes there, and behind a backslash.
        case skip, skipText, skipEscape
        /// Nothing more can be found.
        case over
    }

    /// What becomes of the text between quotes, or of a number.
    enum Sink: UInt8 { case nothing, name, value }

    var plan: RequestIDPlan?
    /// The places that could still win.
    var wanted: UInt8 = 0
    var found: String?

    private var state = State.over
    private var bytesRead = 0
    /// Objects and arrays that are open; bit n of `objects`: the one at depth n + 1 is an object.
    var depth = 0
    private var objects: UInt32 = 0
    /// Where skipping ends.
    var skipFloor = 0
    /// Places that lead to the value that comes next.
    var live: UInt8 = 0
    /// Places that go on inside the object or array at each depth, and which of its elements has come.
    var inside: [33 of UInt8] = .init(repeating: 0)
    private var indexes: [33 of UInt16] = .init(repeating: 0)

    /// A name or a value that is compared or taken.
    var kept: [256 of UInt8] = .init(repeating: 0)
    var keptCount = 0
    var isKeptWhole = true
    var sink = Sink.nothing
    var isName = false
    var escape = JSONEscape()
    var word: StaticString = "null"
    var wordPosition = 0

    /// Bytes of content that are looked at.
    static let bytesMax = 16 << 10

    /// Ready for a text in which `places` are looked for.
    mutating func begin(_ plan: RequestIDPlan, _ places: UInt8) {
        self.plan = plan
        wanted = places
        live = places
        found = nil
        bytesRead = 0
        depth = 0
        state = .value
    }

    mutating func end() {
        plan = nil
        found = nil
        state = .over
    }

    var isOver: Bool { state == .over }

    mutating func read(_ piece: Span<UInt8>) {
        guard state != .over else { return }
        let count = min(piece.count, Self.bytesMax - bytesRead)
        bytesRead += count
        state = scan(piece.extracting(0..<count), from: state)
        if bytesRead == Self.bytesMax { state = .over }
    }

    private mutating func scan(_ bytes: Span<UInt8>, from state: State) -> State {
        var state = state
        var i = 0
        while i < bytes.count {
            let byte = bytes[i]
            switch state {
            case .value, .firstElement, .firstMember, .member, .colon, .next:
                i &+= 1
                if byte > 0x20 {
                    state = mark(byte, state)
                } else if byte != 0x20, byte != 10, byte != 13, byte != 9 {
                    return .over
                }
            case .text: state = text(bytes, &i)
            case .integer, .fraction, .exponentDigits:
                if Characters.isDigit(byte) {
                    digits(bytes, &i)
                } else {
                    state = number(byte, state, &i)
                }
            case .minus, .zero, .point, .exponent, .exponentSign: state = number(byte, state, &i)
            case .escape, .hex, .secondEscape, .secondHex:
                i &+= 1
                state = escaped(byte, state)
            case .literal:
                i &+= 1
                state = literal(byte)
            case .skip: state = skip(bytes, &i)
            case .skipText: state = skipText(bytes, &i)
            case .skipEscape:
                i &+= 1
                state = .skipText
            case .over: return .over
            }
        }
        return state
    }

    /// A byte outside of values, white space apart.
    @inline(__always)
    private mutating func mark(_ byte: UInt8, _ state: State) -> State {
        switch state {
        case .next:
            let isObject = isInObject
            switch byte {
            case UInt8(ascii: ","): return isObject ? .member : nextElement()
            case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject: return close()
            default: return .over
            }
        case .value: return begin(byte)
        case .colon: return byte == UInt8(ascii: ":") ? .value : .over
        case .firstElement: return byte == UInt8(ascii: "]") ? close() : begin(byte)
        case .firstMember where byte == UInt8(ascii: "}"): return close()
        case .firstMember, .member:
            guard byte == UInt8(ascii: "\"") else { return .over }
            return beginText(isName: true, into: inside[depth] & wanted != 0 ? .name : .nothing)
        case .text, .escape, .hex, .secondEscape, .secondHex, .minus, .zero, .integer, .point, .fraction,
            .exponent, .exponentSign, .exponentDigits, .literal, .skip, .skipText, .skipEscape, .over:
            return .over
        }
    }

    @inline(__always)
    private mutating func begin(_ byte: UInt8) -> State {
        switch byte {
        case UInt8(ascii: "\""): beginText(isName: false, into: valueSink)
        case UInt8(ascii: "{"): open(isObject: true)
        case UInt8(ascii: "["): open(isObject: false)
        case UInt8(ascii: "t"): beginLiteral("true")
        case UInt8(ascii: "f"): beginLiteral("false")
        case UInt8(ascii: "n"): beginLiteral("null")
        default: beginNumber(byte)
        }
    }

    /// Where the value that begins now goes: kept only if it stands at a place's end.
    var valueSink: Sink { live & wanted != 0 && ending != 0 ? .value : .nothing }

    /// Places whose end is the value that comes next.
    var ending: UInt8 { plan?.ending(live & wanted, after: depth) ?? 0 }

    // MARK: Objects and arrays

    private mutating func open(isObject: Bool) -> State {
        let places = live & wanted
        let further = places == 0 ? 0 : places & ~ending
        guard push(isObject: isObject) else { return .over }
        guard further != 0 else {
            skipFloor = depth - 1
            return .skip
        }
        inside[depth] = further
        if isObject { return .firstMember }
        indexes[depth] = 0
        live = plan?.elements(further, at: depth - 1, index: 0) ?? 0
        return .firstElement
    }

    @inline(__always)
    mutating func push(isObject: Bool) -> Bool {
        guard depth < JSONValue.depthMax else { return false }
        let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: depth)
        objects = isObject ? objects | bit : objects & ~bit
        depth &+= 1
        return true
    }

    /// Whether the innermost that is open is an object.
    @inline(__always)
    var isInObject: Bool { objects >> UInt32(truncatingIfNeeded: depth &- 1) & 1 != 0 }

    @inline(__always)
    private mutating func nextElement() -> State {
        let places = inside[depth] & wanted
        guard places != 0 else {
            live = 0
            return .value
        }
        // There cannot be more elements than bytes that are looked at.
        indexes[depth] &+= 1
        live = plan?.elements(places, at: depth - 1, index: Int(indexes[depth])) ?? 0
        return .value
    }

    @inline(__always)
    private mutating func close() -> State {
        depth -= 1
        return behindValue
    }

    @inline(__always)
    var behindValue: State { depth == 0 ? .over : .next }
}
