/// A JSON text that has been read (RFC 8259). It may hold a token: it prints as its kind alone.
package enum JSONValue: Sendable {
    package struct Member: Sendable {
        package var name: String
        package var value: JSONValue
        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    case object([Member])
    case array([JSONValue])
    case text(String)
    /// As it is written: `1e3` stays `1e3`, and no digit is lost.
    case number(String)
    case flag(Bool)
    case null

    /// What one text may hold.
    package struct Bounds: Sendable {
        /// Bytes that are read.
        package let bytes: Int
        /// Values, also those that hold others.
        package let values: Int

        /// For what a provider says.
        package static let answer = Bounds(bytes: 256 << 10, values: 16_384)
        /// For what this program has written itself.
        package static let own = Bounds(bytes: 64 << 20, values: 4 << 20)
    }

    /// Objects and arrays around a value.
    package static let depthMax = 32
    package static let bytesMax = Bounds.answer.bytes
    package static let valuesMax = Bounds.answer.values

    /// Reads a whole text, strictly: what two readers could take differently is refused.
    package init(_ bytes: Span<UInt8>, bounds: Bounds = .answer) throws(JSONFault) {
        var reader = JSONReader(bounds)
        self = try reader.read(bytes)
    }

    package init(_ bytes: [UInt8], bounds: Bounds = .answer) throws(JSONFault) {
        try self.init(bytes.span, bounds: bounds)
    }

    /// What stands at the end of `steps`; nil when one of them leads nowhere.
    package func value(at steps: some Sequence<AnswerPlace.Step>) -> JSONValue? {
        var value = self
        for step in steps {
            guard let next = value.value(after: step) else { return nil }
            value = next
        }
        return value
    }

    private func value(after step: AnswerPlace.Step) -> JSONValue? {
        switch (self, step) {
        case (.object(let members), .member(let name)): members.first { $0.name.isExactly(name) }?.value
        case (.array(let elements), .element(let index)):
            elements.indices.contains(index) ? elements[index] : nil
        case (.object, .element), (.array, .member), (.text, _), (.number, _), (.flag, _), (.null, _): nil
        }
    }

    /// A member; nil when there is none, or this is no object.
    package subscript(name: String) -> JSONValue? { value(after: .member(name)) }

    /// Of an array; empty when it is none.
    package var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    package var number: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    package var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }

    /// A string, a number as it is written, `true` or `false`; nil for what is no text.
    package var text: String? {
        switch self {
        case .text(let text), .number(let text): text
        case .flag(let flag): flag ? "true" : "false"
        case .object, .array, .null: nil
        }
    }

    /// The JSON text, without white space.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    private func write(into bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += Array(JSON.quoted(member.name).utf8)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .text(let text): bytes += Array(JSON.quoted(text).utf8)
        case .number(let number): bytes += Array(number.utf8)
        case .flag(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .null: bytes += Array("null".utf8)
        }
    }
}

extension JSONValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .object: "<object>"
        case .array: "<array>"
        case .text: "<text>"
        case .number: "<number>"
        case .flag: "<flag>"
        case .null: "<null>"
        }
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why bytes are not taken as JSON. Says nothing of what they are.
package enum JSONFault: Error, Sendable, Equatable {
    case tooLarge
    case tooDeep
    case tooManyValues
    case notUTF8
    /// One of the two would be lost, and readers differ in which (RFC 8259 §4).
    case repeatedName
    /// From this byte on, counted from 0, it is not JSON.
    case malformed(at: Int)

    /// Follows "the answer".
    package var words: String {
        switch self {
        case .tooLarge: "is larger than \(JSONValue.bytesMax >> 10) KiB"
        case .tooDeep: "is nested deeper than \(JSONValue.depthMax) levels"
        case .tooManyValues: "holds more than \(JSONValue.valuesMax) values"
        case .notUTF8: "is not UTF-8"
        case .repeatedName: "has two members of one name"
        case .malformed(let position): "is not JSON from byte \(position) on"
        }
    }
}

extension StringProtocol {
    /// Byte by byte. `==` also takes different bytes for the same text where Unicode does.
    func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
