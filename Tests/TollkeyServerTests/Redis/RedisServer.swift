import Glibc
import Synchronization
import TollkeyCore
import TollkeySandbox

/// A Redis server of the system's, on a free port of loopback and in a folder of its own. Keeps nothing on disk, unless
/// its configuration says so.
final class RedisServer: Sendable {
    enum Failure: Error, CustomStringConvertible {
        case notInstalled
        /// It ended instead of serving; what it said.
        case ended(String)

        var description: String {
            switch self {
            case .notInstalled:
                "redis-server is missing: install Debian's package of that name, as make test does"
            case .ended(let words): "redis-server does not start: \(words)"
            }
        }
    }

    let port: Int
    private let folder: TemporaryFolder
    private let isEncrypted: Bool
    private let process = Mutex<(id: pid_t, output: RawConnection)?>(nil)

    private static let portsTried = 10

    /// Returns when it accepts connections. `lines` are more of its configuration: `maxmemory 1mb`. With `identity` it
    /// speaks TLS only, and asks for no client certificate.
    static func start(_ lines: [String] = [], identity: Identity? = nil) throws -> RedisServer {
        var tries = 0
        while true {
            tries += 1
            // Whatever has it by the time that the server wants it: then another one is tried.
            let port = try RawUpstream(listens: false).port
            let server = try RedisServer(port, lines, identity)
            do {
                try server.launch()
                return server
            } catch Failure.ended(let words) where words.contains("in use") && tries < portsTried {}
        }
    }

    private init(_ port: Int, _ lines: [String], _ identity: Identity?) throws {
        self.port = port
        folder = try TemporaryFolder()
        isEncrypted = identity != nil
        var all = [
            "bind 127.0.0.1", "dir \(folder.path)", "save \"\"", "daemonize no", "logfile \"\"",
            "databases 4",
            identity == nil ? "port \(port)" : "port 0",
        ]
        if let identity {
            let chain = try folder.write(identity.chain, to: "chain.pem")
            all += ["tls-port \(port)", "tls-auth-clients no", "tls-cert-file \(chain)"]
            all += [
                "tls-key-file \(try folder.write(identity.key, to: "key.pem"))", "tls-ca-cert-file \(chain)",
            ]
        }
        _ = try folder.write((all + lines).joined(separator: "\n") + "\n", to: "redis.conf")
    }

    deinit { kill() }

    /// How a client finds it, without user and password.
    var settings: SharedSettings {
        var settings = SharedSettings(host: "127.0.0.1")
        settings.port = port
        settings.isEncrypted = isEncrypted
        return settings
    }

    // MARK: Its life

    private func launch() throws {
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
        let arguments = ["redis-server", folder.path + "/redis.conf"]
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var id = pid_t()
        let result = posix_spawnp(&id, "redis-server", &actions, nil, pointers, environ)
        close(ends[1])
        if result == ENOENT { throw Failure.notInstalled }
        guard result == 0 else { throw RawConnection.Failure.system("posix_spawn", result) }
        process.withLock { $0 = (id, output) }
        do { _ = try output.through("Ready to accept connections") } catch RawConnection.Failure.cut(
            let words)
        {
            kill()
            throw Failure.ended(String(decoding: words, as: UTF8.self))
        }
    }

    /// Ends it at once. Returns when it is gone.
    func kill() {
        process.withLock { process in
            guard let id = process?.id else { return }
            Glibc.kill(id, SIGKILL)
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            process = nil
        }
    }

    /// Starts it again, on its port and with what it has kept.
    func restart() throws {
        kill()
        try launch()
    }

    /// From here on it does nothing: the system still takes connections and bytes for it.
    func pause() {
        guard let id = process.withLock({ $0?.id }) else { return }
        Glibc.kill(id, SIGSTOP)
        var status: Int32 = 0
        waitpid(id, &status, WUNTRACED)
    }

    func resume() {
        guard let id = process.withLock({ $0?.id }) else { return }
        Glibc.kill(id, SIGCONT)
    }

    // MARK: Asking it without the product

    /// The reply to a command of words without spaces; text of several lines as one text. Not for TLS.
    func ask(_ command: String) throws -> String {
        let connection = try RawConnection.toPort(port)
        try connection.send(command + "\r\n")
        let line = String(decoding: try connection.through("\r\n").dropLast(2), as: UTF8.self)
        guard line.hasPrefix("$"), let count = Int(line.dropFirst()), count >= 0 else { return line }
        return String(decoding: try connection.exactly(count), as: UTF8.self)
    }

    /// Returns when somebody's command waits there for data.
    func holdsSomebody() throws {
        while try !ask("INFO clients").contains("blocked_clients:1") {}
    }
}

/// Lends a server, and ends it.
func withRedis(
    _ lines: [String] = [], identity: Identity? = nil, _ body: (RedisServer) throws -> Void
) throws {
    let server = try RedisServer.start(lines, identity: identity)
    defer { server.kill() }
    try body(server)
}
