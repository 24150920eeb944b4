/// What a call does wrong, before it is known on which connection.
struct Finding {
    let kind: Violation.Kind
    /// Without any value that could be a credential.
    let detail: String

    /// How long a token may have been dead before it is held against whoever sent it. Time is in whole seconds, so
    /// that a token in its last second can look dead.
    static let expiredSecondsMax: Int64 = 0

    init(_ kind: Violation.Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// - Parameter seconds: since the token's end; nil for one that lives, or that nobody knows
    init?(expired name: String, since seconds: Int64?) {
        guard let seconds, seconds > Self.expiredSecondsMax else { return nil }
        self.init(.expiredCredential, "\(name), for \(seconds) s")
    }
}
