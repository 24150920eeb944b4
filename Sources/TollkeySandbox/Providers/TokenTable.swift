/// Tokens that were issued, with what they are good for, the oldest forgotten first.
struct TokenTable<Grant: Sendable>: Sendable {
    /// Enough for a test that renews all the time; one past it pushes the oldest out.
    static var tokensMax: Int { 1024 }

    enum Finding {
        case good(Grant)
        case expired
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
        return now < entry.expiresAt ? .good(entry.grant) : .expired
    }

    mutating func remove(_ token: String) {
        entries[token] = nil
        order.removeAll { $0 == token }
    }

    mutating func removeAll() {
        entries = [:]
        order = []
    }
}
