/// Why a command did not work: what is wrong and what to do, for the person who gave it. Never holds a secret.
package struct OperatorFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    init(_ failure: StateFailure) {
        self.init("The state cannot be used: \(failure.description).")
    }
}
