import Glibc

/// A program of the system's, run to its end.
enum Program {
    struct Outcome {
        let status: Int32
        /// Standard output and standard error together.
        let text: String
    }

    /// Whether `arguments` can be run and succeed.
    static func isThere(_ arguments: [String]) -> Bool { (try? run(arguments))?.status == 0 }

    /// Runs the program of that name with `arguments`, the name first, and waits for its end.
    static func run(_ arguments: [String]) throws -> Outcome {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw RawConnection.Failure.system("socketpair", errno)
        }
        let output = RawConnection(descriptor: ends[0])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var process = pid_t()
        let result = posix_spawnp(&process, arguments[0], &actions, nil, pointers, environ)
        close(ends[1])
        guard result == 0 else { throw RawConnection.Failure.system("posix_spawn", result) }
        do {
            let text = String(decoding: try output.rest(), as: UTF8.self)
            return Outcome(status: wait(for: process), text: text)
        } catch {
            kill(process, SIGKILL)
            _ = wait(for: process)
            throw error
        }
    }

    /// The exit code; -1 when a signal ended it.
    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -1
    }
}
