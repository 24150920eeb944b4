import Glibc

/// A program of the system's that runs until it is told to end, by us or by a signal.
final class Child {
    let id: pid_t
    private let pipe: RawConnection

    /// Starts `arguments`, the program's name first, which must answer a line with the same line, as cat(1) does; returns
    /// when it has.
    init(_ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw RawConnection.Failure.system("socketpair", errno)
        }
        pipe = RawConnection(descriptor: ends[0])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var process = pid_t()
        let result = posix_spawnp(&process, arguments[0], &actions, nil, pointers, environ)
        close(ends[1])
        guard result == 0 else { throw RawConnection.Failure.system("posix_spawn", result) }
        id = process
        try pipe.send("ready\n")
        _ = try pipe.through("ready\n")
    }

    /// Returns when it stands still.
    func stop() {
        var status: Int32 = 0
        Glibc.kill(id, SIGSTOP)
        waitpid(id, &status, WUNTRACED)
    }

    /// Returns when it is gone.
    func kill() {
        var status: Int32 = 0
        Glibc.kill(id, SIGKILL)
        waitpid(id, &status, 0)
    }
}
