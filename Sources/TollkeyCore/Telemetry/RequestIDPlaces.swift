/// Where a provider's answers may have its own number for the request, made ready for many answers.
package struct RequestIDPlaces: Sendable {
    private struct Header: Sendable {
        /// Lower case, `-` for `_`.
        let name: [UInt8]
        /// Its turn among all places.
        let rank: Int
    }
    private let headers: [Header]
    fileprivate let plan: RequestIDPlan?

    /// Places that are looked at.
    package static let placesMax = 8

    /// In the order in which they win.
    package init(_ places: [AnswerPlace]) {
        let places = places.prefix(Self.placesMax)
        headers = places.enumerated().compactMap { rank, place in
            guard case .header(let name) = place else { return nil }
            return Header(name: name.utf8.map(\.inName), rank: rank)
        }
        plan = RequestIDPlan(Array(places))
    }

    /// What the head says, and the places in the content that win over it.
    fileprivate func look(
        _ fields: borrowing MessageFields, _ head: Span<UInt8>
    ) -> (header: String?, places: UInt8) {
        var rank = Self.placesMax
        var found: String?
        for index in headers.indices {
            found = value(of: headers[index].name, fields, head)
            guard found == nil else {
                rank = headers[index].rank
                break
            }
        }
        let places = plan?.places(before: rank) ?? 0
        return (found, places != 0 && Self.isPlainJSON(fields, head) ? places : 0)
    }

    private func value(
        of name: [UInt8], _ fields: borrowing MessageFields, _ head: Span<UInt8>
    ) -> String? {
        for line in fields.lines where line.nameEnd - line.start == name.count {
            guard head.extracting(line.name).isName(name) else { continue }
            if let id = RequestIDText.taken(head.extracting(line.value)) { return id }
        }
        return nil
    }

    /// Whether the content is JSON by its type (RFC 8259 §11, RFC 6839 §3.1), and not coded.
    private static func isPlainJSON(_ fields: borrowing MessageFields, _ head: Span<UInt8>) -> Bool {
        var types = 0
        var isJSON = false
        for line in fields.lines where line.known == .other {
            switch line.nameEnd - line.start {
            case 12 where head.extracting(line.name).isName("content-type"):
                types += 1
                isJSON = Self.isJSON(head.extracting(line.value))
            case 16 where head.extracting(line.name).isName("content-encoding"): return false
            default: break
            }
        }
        return types == 1 && isJSON
    }

    private static func isJSON(_ value: Span<UInt8>) -> Bool {
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: ";") { end += 1 }
        while end > 0, value[end - 1] == 0x20 || value[end - 1] == 9 { end -= 1 }
        if value.extracting(0..<end).equalsIgnoringCase("application/json") { return true }
        return end > 5 && value.extracting(end - 5..<end).equalsIgnoringCase("+json")
    }
}

/// The search for a provider's number in one answer after the other: in the head, and in the content as it streams by.
///
/// A class: what it keeps is half a kilobyte, and would be copied with every question.
package final class RequestIDSearch {
    private var header: String?
    private var scanner = RequestIDScanner()

    package init() {}

    /// A new answer, by its head. Costs next to nothing where only headers are asked for.
    package func begin(
        _ places: RequestIDPlaces, _ fields: borrowing MessageFields, _ head: Span<UInt8>
    ) {
        let (header, inContent) = places.look(fields, head)
        self.header = header
        if inContent != 0, let plan = places.plan {
            scanner.begin(plan, inContent)
        } else {
            scanner.end()
        }
    }

    /// What stands at the first place of all that are there, as far as has been read.
    package var found: String? { scanner.found ?? header }

    /// Whether more of the content could change `found`.
    package var wantsContent: Bool { !scanner.isOver }

    /// The next piece of the content, without transfer coding.
    package func read(_ content: Span<UInt8>) { scanner.read(content) }

    /// Forgets the answer.
    package func end() {
        header = nil
        scanner.end()
    }
}

/// What may be taken for a request's number: it goes into a log.
enum RequestIDText {
    static let bytesMax = 128

    static func taken(_ text: Span<UInt8>) -> String? {
        guard (1...bytesMax).contains(text.count) else { return nil }
        for i in text.indices where !isAllowed(text[i]) { return nil }
        return text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// Letters, digits and `._:/+=@-`.
    @inline(__always)
    static func isAllowed(_ c: UInt8) -> Bool {
        if Characters.isAlphanumeric(c) { return true }
        switch c {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"),
            UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "-"):
            return true
        default: return false
        }
    }
}
