/// One thing that `tollkey doctor` has looked at. Never holds a secret.
package struct Finding: Sendable, Equatable {
    package enum Mark: String, Sendable { case ok, note, problem }

    package let mark: Mark
    package let subject: String
    /// What is so and, where it is wrong, what to do.
    package let words: String

    init(_ mark: Mark, _ subject: String, _ words: String) {
        self.mark = mark
        self.subject = subject
        self.words = words
    }
}
