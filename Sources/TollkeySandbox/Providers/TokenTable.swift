/// Tokens that were issued, with what they are good for, the oldest forgotten first.
struct TokenTable<Grant: Sendable>: Sendable {
    /// Enough for a test that renews all the time, or that remembers a value of every call; one past it pushes the
    /// oldest out.
    static var tokensMax: Int { 16_384 }

    enum Finding {
        case good(Grant)
        case expired(seconds: Int64)
        case unknown
    }

    private struct Entry {
        let grant: Grant
        let expiresAt: Int64
    }

    private var entries: [String: Entry] = [:]
    private var order: [String] = []

    mutating func add(_ token: String, _ grant: Grant, expiresAt: Int64) {
        if order.count == Self.tokensMax { entries[order.removeFirst()] = nil }
        entries[token] = Entry(grant: grant, expiresAt: expiresAt)
        order.append(token)
    }

    func find(_ token: String, now: Int64) -> Finding {
        guard let entry = entries[token] else { return .unknown }
        return now < entry.expiresAt ? .good(entry.grant) : .expired(seconds: now - entry.expiresAt)
    }

    func isKnown(_ token: String) -> Bool { entries[token] != nil }

    /// Seconds since the token's end; nil for one that lives, or that nobody knows.
    func overdue(_ token: String, now: Int64) -> Int64? {
        guard case .expired(let seconds) = find(token, now: now) else { return nil }
        return seconds
    }

    mutating func remove(_ token: String) {
        guard entries.removeValue(forKey: token) != nil else { return }
        order.removeAll { $0 == token }
    }

    mutating func removeAll() {
        entries = [:]
        order = []
    }
}
