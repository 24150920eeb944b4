import Glibc

/// How many of the process's descriptors its clients may have. Were it all, none would be left to connect to providers
/// with, and nobody could be answered.
enum DescriptorShare {
    /// Event loops, the state, the log, admin connections and the proxy's own calls.
    private static let ownMax = 64

    /// Three in four of what the limit, as it is when this is asked, leaves beyond our own.
    static var clients: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        return max(1, (Int(clamping: limit.rlim_cur) - ownMax) / 4 * 3)
    }
}
