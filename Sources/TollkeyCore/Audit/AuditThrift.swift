/// Which of the events that repeat themselves get an entry: a provider that is away for a day must not fill the trail.
package struct AuditThrift: Sendable {
    private struct Key: Hashable {
        let kind: AuditEvent.Kind
        let provider: String
        let credential: String
    }
    private struct Told {
        var words: String
        var until: Deadline
    }
    private var told: [Key: Told] = [:]

    /// Refusals of one credential are told once in this time.
    package static let refusalInterval: Duration = .seconds(60)
    /// A failure that is the same as the last one is told again after this.
    package static let failureInterval: Duration = .seconds(600)

    package init() {}

    /// Whether it gets one. What worked always does, and the failure after it is told at once.
    package mutating func admits(_ event: AuditEvent, at now: Moment) -> Bool {
        let key = Key(kind: event.kind, provider: event.provider, credential: event.credential)
        if event.kind == .refuse {
            if let told = told[key], !told.until.isReached(at: now) { return false }
            told[key] = Told(words: "", until: now + Self.refusalInterval)
            return true
        }
        guard event.outcome != .done else {
            told[key] = nil
            return true
        }
        if let told = told[key], told.words == event.words, !told.until.isReached(at: now) { return false }
        told[key] = Told(words: event.words, until: now + Self.failureInterval)
        return true
    }
}
