import Glibc

/// How many of the process's descriptors its clients may have. Were it all, none would be left to connect to providers
/// with, and nobody could be answered.
enum DescriptorShare {
    /// Three in four of the limit that holds when this is asked.
    static var clients: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        return max(1, Int(clamping: limit.rlim_cur / 4 * 3))
    }
}
