import Glibc

/// A file whose reader waits until the test writes it: a named pipe.
final class SlowFile: Sendable {
    let path: String

    init(_ path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw RawConnection.Failure.system("mkfifo", errno) }
    }

    /// Waits for somebody to read it; it goes on once it is given what it reads.
    func reader() throws -> Reader {
        var descriptor: Int32 = -1
        let isThere = comesTrue {
            descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            return descriptor >= 0
        }
        guard isThere else { throw RawConnection.Failure.late }
        return Reader(descriptor: descriptor)
    }

    struct Reader {
        fileprivate let descriptor: Int32

        /// No more than fits into a pipe, and the end of the file.
        func give(_ text: String) {
            let bytes = Array(text.utf8)
            _ = write(descriptor, bytes, bytes.count)
            close(descriptor)
        }
    }
}
