/// A value that must never be seen: prints, reflects and interpolates as `<secret>`.
///
/// `reveal` is the one way to its bytes, so that the places that read a secret can be counted.
package struct Secret: Sendable, Equatable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { self.bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }

    package static let bytesMax = 16 << 10

    /// Why this cannot be a secret, in words that follow its name; nil when it can. `isKey`: it is only ever the key of
    /// a signature, where any bytes are good. All others may come into a header, where a line end would begin another
    /// one (RFC 9110 §5.5).
    package func fault(isKey: Bool) -> String? {
        if bytes.isEmpty { return "is empty; put the secret there" }
        if bytes.count > Self.bytesMax { return "is longer than \(Self.bytesMax >> 10)KiB" }
        if isKey { return nil }
        if bytes.contains(where: { !Characters.isFieldValue($0) }) {
            return "has a control character or a line end in it, which no header can hold; store it without"
        }
        let isSpace: (UInt8?) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        return isSpace(bytes.first) || isSpace(bytes.last)
            ? "begins or ends with a space, which HTTP drops; store it without" : nil
    }

    /// Lends the bytes to `body` for as long as it runs.
    package func reveal<Result>(_ body: ([UInt8]) -> Result) -> Result { body(bytes) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
