/// Why a text is not what its key wants, in words that follow the key: `must be …`, `has …`.
package struct Misfit: Error, Sendable, Equatable {
    package var message: String
    package init(_ message: String) { self.message = message }
}
