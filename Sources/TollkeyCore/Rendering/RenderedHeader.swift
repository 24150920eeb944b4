/// A header field, ready to be written. Its value holds nothing that could end its line.
package struct RenderedHeader: Sendable, Equatable {
    package let name: String
    package let value: Secret

    package init(name: String, value: Secret) {
        self.name = name
        self.value = value
    }

    func isNamed(_ name: Span<UInt8>) -> Bool { name.isName(self.name.utf8.map(\.inName)) }

    func write(into buffer: Buffer) { line.reveal { buffer.append($0) } }

    /// With CR LF.
    var line: Secret {
        value.reveal { Secret(Array(name.utf8) + [UInt8(ascii: ":"), 0x20] + $0 + [13, 10]) }
    }
}

extension String {
    /// As the name of a header field, in lower case, `-` for `_`: some servers take the two for one.
    var inName: String { String(decoding: utf8.map(\.inName), as: UTF8.self) }
}
