import TollkeyCore

/// Gathers an answer from the pieces that libcurl hands over, within its bounds.
struct AnswerReader {
    private enum Stage { case statusLine, fields, content }

    private var stage = Stage.statusLine
    private var status = 0
    private var fields: [CallAnswer.Field] = []
    private var content: [UInt8] = []
    private var headBytes = 0
    private let contentBytesMax: Int

    /// A bound was passed; `takeLine` or `takeContent` has returned false.
    private(set) var isTooLarge = false

    init(contentBytesMax: Int) { self.contentBytesMax = contentBytesMax }

    /// Nil before the final answer's head was complete.
    var answer: CallAnswer? {
        guard stage == .content else { return nil }
        return CallAnswer(status: status, fields: fields, content: Secret(content))
    }

    /// Whether nothing but the connection's end says where the content does (RFC 9112 §6.3).
    func endsWithConnection(_ method: String) -> Bool {
        if method == "HEAD" || status == 204 || status == 304 { return false }
        return !fields.contains { field in
            field.name == "content-length"
                || field.name == "transfer-encoding"
                    && field.value.reveal {
                        $0.map(Characters.lowercased).suffix(7) == Array("chunked".utf8)[...]
                    }
        }
    }

    /// One line of a head, of the last one or of an interim answer's, or of the trailers.
    mutating func takeLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headBytes += bytes.count
        guard headBytes <= OutgoingCall.answerHeadBytesMax else { return refuse() }
        let line = bytes[..<(bytes.lastIndex { $0 != 10 && $0 != 13 }.map { $0 + 1 } ?? 0)]
        switch stage {
        case .statusLine:
            status = Self.status(line)
            fields = []
            stage = .fields
        case .fields where line.isEmpty:
            stage = status < 200 ? .statusLine : .content
        case .fields:
            guard fields.count < OutgoingCall.answerFieldsMax else { return refuse() }
            if let field = Self.field(line) { fields.append(field) }
        case .content:
            break
        }
        return true
    }

    mutating func takeContent(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard content.count + bytes.count <= contentBytesMax else { return refuse() }
        content.append(contentsOf: bytes)
        return true
    }

    private mutating func refuse() -> Bool {
        isTooLarge = true
        return false
    }

    /// 0 for a line that has none.
    private static func status(_ line: Slice<UnsafeRawBufferPointer>) -> Int {
        let digits = line.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix(3)
        guard digits.count == 3, digits.allSatisfy(Characters.isDigit) else { return 0 }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// Nil for what is no field. It is passed over: a token that was spent for this answer is not given up for it.
    private static func field(_ line: Slice<UnsafeRawBufferPointer>) -> CallAnswer.Field? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(Characters.isToken) else { return nil }
        let isSpace = { (c: UInt8) in c == UInt8(ascii: " ") || c == UInt8(ascii: "\t") }
        var value = line[(colon + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        return CallAnswer.Field(
            name: String(decoding: name.map(Characters.lowercased), as: UTF8.self),
            value: Secret(Array(value)))
    }
}
