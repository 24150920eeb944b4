#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Lines on standard output, each whole and at once: several event loops write, and a script waits for
/// `ready`.
enum Console {
    static func write(_ line: String) {
        // `print` locks the stream, so lines of different threads do not mix.
        print(line)
        fflush(nil)
    }
}
