/// A value that must never be seen: prints, reflects and interpolates as `<secret>`.
///
/// `reveal` is the one way to its bytes, so that the places that read a secret can be counted.
package struct Secret: Sendable, Equatable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { self.bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }

    /// Lends the bytes to `body` for as long as it runs.
    package func reveal<Result>(_ body: ([UInt8]) -> Result) -> Result { body(bytes) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
