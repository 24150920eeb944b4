/// What the sandbox saw. Every property may be read at any time, from any thread.
package final class Record: Sendable {
    /// The newest requests of each provider that are kept.
    package static let requestsMax = 256
    /// The oldest violations that are kept: the first one explains the rest.
    package static let violationsMax = 256
    /// The newest secrets of each provider that are kept.
    package static let issuedMax = 16_384

    private struct Seen: Sendable {
        var requests: [Provider: [RecordedRequest]] = [:]
        var counts: [Provider: Int] = [:]
        var tokenCalls: [Provider: [TokenCall: Int]] = [:]
        var issued: [Provider: [String]] = [:]
        var violations: [Violation] = []
        var connections = 0
    }

    private let seen = Watched(Seen())

    private let tolerated: Set<Violation.Kind>

    init(tolerating tolerated: Set<Violation.Kind> = []) {
        self.tolerated = tolerated
    }

    /// The last `requestsMax` requests, oldest first.
    package func requests(of provider: Provider) -> [RecordedRequest] {
        seen.read { $0.requests[provider] ?? [] }
    }

    /// All that came since the start or the last `clear`, kept or not.
    package func count(of provider: Provider) -> Int { seen.read { $0.counts[provider] ?? 0 } }

    /// Calls of that kind since the start or the last `clear`, whatever they were answered.
    package func count(of call: TokenCall, to provider: Provider) -> Int {
        tokenCalls(of: provider)[call] ?? 0
    }

    /// Kinds that nobody called are left out.
    package func tokenCalls(of provider: Provider) -> [TokenCall: Int] {
        seen.read { $0.tokenCalls[provider] ?? [:] }
    }

    /// Every token, code and key that `provider` has handed out, in clear, oldest first: for a test to look for
    /// where none may be. `clear` forgets none of them.
    package func issued(by provider: Provider) -> [String] { seen.read { $0.issued[provider] ?? [] } }

    package var violations: [Violation] { seen.read { $0.violations } }

    /// How many connections were accepted, those of failed handshakes included.
    package var connections: Int { seen.read { $0.connections } }

    /// Returns when `provider` has received `count` requests in all.
    package func reaches(_ count: Int, of provider: Provider) async throws {
        try await seen.wait { $0.counts[provider] ?? 0 >= count }
    }

    /// Returns when `provider` has received `count` calls of that kind.
    package func reaches(_ count: Int, of call: TokenCall, to provider: Provider) async throws {
        try await seen.wait { $0.tokenCalls[provider]?[call] ?? 0 >= count }
    }

    /// Forgets requests, counts and violations; connection numbers go on.
    package func clear() {
        seen.update { seen in
            seen.requests = [:]
            seen.counts = [:]
            seen.tokenCalls = [:]
            seen.violations = []
        }
    }

    func nextConnection() -> Int {
        seen.update { seen in
            seen.connections += 1
            return seen.connections
        }
    }

    func add(_ request: RecordedRequest) {
        seen.update { seen in
            seen.counts[request.provider, default: 0] += 1
            if let call = request.tokenCall {
                seen.tokenCalls[request.provider, default: [:]][call, default: 0] += 1
            }
            seen.requests[request.provider, default: []].append(request)
            if seen.requests[request.provider, default: []].count > Self.requestsMax {
                seen.requests[request.provider]?.removeFirst()
            }
        }
    }

    func add(issued secrets: [String], by provider: Provider) {
        guard !secrets.isEmpty else { return }
        seen.update { seen in
            seen.issued[provider, default: []] += secrets
            let surplus = seen.issued[provider, default: []].count - Self.issuedMax
            if surplus > 0 { seen.issued[provider]?.removeFirst(surplus) }
        }
    }

    func add(_ violation: Violation) {
        guard !tolerated.contains(violation.kind) else { return }
        seen.update { seen in
            if seen.violations.count < Self.violationsMax { seen.violations.append(violation) }
        }
    }
}
