/// What the sandbox saw. Every property may be read at any time, from any thread.
package final class Record: Sendable {
    /// The newest requests of each provider that are kept.
    package static let requestsMax = 256
    /// The oldest violations that are kept: the first one explains the rest.
    package static let violationsMax = 256

    private struct Seen: Sendable {
        var requests: [Provider: [RecordedRequest]] = [:]
        var counts: [Provider: Int] = [:]
        var violations: [Violation] = []
        var connections = 0
    }

    private let seen = Watched(Seen())

    init() {}

    /// The last `requestsMax` requests, oldest first.
    package func requests(of provider: Provider) -> [RecordedRequest] {
        seen.read { $0.requests[provider] ?? [] }
    }

    /// All that came since the start or the last `clear`, kept or not.
    package func count(of provider: Provider) -> Int { seen.read { $0.counts[provider] ?? 0 } }

    package var violations: [Violation] { seen.read { $0.violations } }

    /// How many connections were accepted, those of failed handshakes included.
    package var connections: Int { seen.read { $0.connections } }

    /// Returns when `provider` has received `count` requests in all.
    package func reaches(_ count: Int, of provider: Provider) async throws {
        try await seen.wait { $0.counts[provider] ?? 0 >= count }
    }

    /// Forgets requests and violations; connection numbers go on.
    package func clear() {
        seen.update { seen in
            seen.requests = [:]
            seen.counts = [:]
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
            seen.requests[request.provider, default: []].append(request)
            if seen.requests[request.provider, default: []].count > Self.requestsMax {
                seen.requests[request.provider]?.removeFirst()
            }
        }
    }

    func add(_ violation: Violation) {
        seen.update { seen in
            if seen.violations.count < Self.violationsMax { seen.violations.append(violation) }
        }
    }
}
