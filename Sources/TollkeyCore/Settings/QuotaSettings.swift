/// At most `count` calls in any window of that length.
package struct LimitSettings: Sendable, Hashable {
    package var count: Int
    package var window: Duration

    package init(count: Int, window: Duration) {
        self.count = count
        self.window = window
    }

    /// As the configuration says it: `1000/hour`, `5/90s`.
    package var text: String {
        let milliseconds = TimeSpan(window).nanoseconds / 1_000_000
        let unit =
            switch milliseconds {
            case 1_000: "second"
            case 60_000: "minute"
            case 3_600_000: "hour"
            case 86_400_000: "day"
            case _ where milliseconds % 3_600_000 == 0: "\(milliseconds / 3_600_000)h"
            case _ where milliseconds % 60_000 == 0: "\(milliseconds / 60_000)m"
            case _ where milliseconds % 1_000 == 0: "\(milliseconds / 1_000)s"
            default: "\(milliseconds)ms"
            }
        return "\(count)/\(unit)"
    }

    package static let countRange = 1...1_000_000_000
    package static let windowRange: ClosedRange<Duration> = .seconds(1) ... .seconds(31 * 86_400)
}

/// A set of a provider's calls that share limits.
package struct CategorySettings: Sendable, Equatable {
    package enum OnLimit: String, Sendable, CaseIterable {
        /// 429 at once.
        case reject
        /// In line, for `waitMax` at the longest.
        case wait
    }

    package var name: String
    /// Which calls are meant. The most specific pattern of all categories decides.
    package var match: [CallPattern] = []
    /// A call takes a permit of each. None is unlimited: then only what the provider says holds calls back.
    package var limits: [LimitSettings] = []
    package var onLimit: OnLimit = .reject
    /// How long a call may stand in line, whether `on_limit` or the client's `Prefer: wait` put it there.
    package var waitMax: Duration = .seconds(10)
    /// Calls that may stand in line.
    package var waiting = 1_024
    /// A pause that the provider asks for is no longer than this.
    package var retryAfterMax: Duration = .seconds(3_600)

    package init(name: String) { self.name = name }

    package static let perProviderMax = 10_000
    package static let limitsMax = 8
    package static let patternsMax = 1_000
}

/// Where several replicas keep quotas, pauses and tokens together: a Redis server.
package struct SharedSettings: Sendable, Equatable {
    package enum Fallback: String, Sendable, CaseIterable {
        /// Each replica goes on with its share of every limit.
        case local
        /// Calls under a limit are refused.
        case refuse
    }

    /// A name or a literal address without brackets.
    package var host: String
    package var port = 6_379
    /// `rediss`: TLS, and the server's certificate is verified.
    package var isEncrypted = false
    /// A PEM file that is trusted instead of the system's store.
    package var ca: String?
    /// Of Redis 6's access lists; nil is the default user.
    package var user: String?
    package var password: Secret?
    package var database = 0
    /// Before the name of every key there.
    package var prefix = "tollkey"
    /// While the server cannot be asked.
    package var fallback = Fallback.local

    package init(host: String) { self.host = host }
}
