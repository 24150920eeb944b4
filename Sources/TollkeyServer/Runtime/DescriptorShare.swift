import Glibc

/// How many of the process's descriptors the clients of one event loop may have. Were it all, none would be left to
/// connect to providers with, and nobody could be answered.
package enum DescriptorShare {
    /// Event loops, the state, the log, admin connections and the proxy's own calls.
    private static let ownMax = 64

    /// Three in four of what the limit, as it is when this is asked, leaves beyond our own, for each of `threads`.
    static func clients(threads: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        return clients(limit: Int(clamping: limit.rlim_cur), threads: threads)
    }

    /// At least one: a loop that lets nobody in would leave those waiting whom the system has given it.
    package static func clients(limit: Int, threads: Int) -> Int {
        max(1, (limit - ownMax) / 4 * 3 / max(1, threads))
    }
}
