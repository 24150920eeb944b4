#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a file that everybody may read, such as a certificate, unless `mode` says otherwise.
enum PublicFile {
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "cannot write \(path): \(reason)" }
    }

    /// Makes the directories on the way to `path` and replaces the file at once, so that nobody reads half of
    /// it.
    static func write(_ content: String, to path: String, mode: mode_t = 0o644) throws {
        for (index, character) in zip(path.indices, path) where character == "/" && index > path.startIndex {
            let directory = String(path[..<index])
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw failure(directory) }
        }
        let temporary = path + ".part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(temporary) }
        let bytes = Array(content.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Self.write(descriptor, $0) }
            guard count > 0 else {
                let failure = failure(temporary)
                close(descriptor)
                throw failure
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw failure(path) }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            #else
                let count = Musl.write(descriptor, bytes.baseAddress, bytes.count)
            #endif
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(path: path, reason: String(cString: strerror(errno)))
    }
}
