import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The proxy as a child process. Whoever starts it stops it.
final class ProxyProcess: Sendable {
    enum Ending: Sendable, CustomStringConvertible {
        case exited(Int32)
        case killed(Int32)

        var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .killed(let number): "signal \(number)"
            }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process: pid_t
    private let hasBeenReaped = Atomic(false)
    private let watch: AsyncStream<Ending>

    /// Drains for two seconds by its configuration; past this it is killed.
    private static let stopTime = Duration.seconds(5)
    /// Those that may be open when the proxy is started: a listener for each provider, and what event loops need.
    private static let descriptors: Range<Int32> = 3..<256

    /// `environment` comes on top of our own. Its standard error is ours.
    static func start(
        _ program: String, arguments: [String], environment: [(name: String, value: String)]
    ) throws -> ProxyProcess {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C is for us, and we tell the proxy once. With signals as a new program expects
        // them, since we ignore some.
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)

        // The sandbox's sockets are not the proxy's.
        for descriptor in Self.descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.name)=\($0.value)") }
        // Behind ours: of two variables with one name the first counts (getenv(3)).
        var inherited: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
        while let entry = inherited.pointee {
            variables.append(strdup(entry))
            inherited += 1
        }
        defer { for word in words + variables { free(word) } }
        words.append(nil)
        variables.append(nil)
        var process: pid_t = 0
        let code = posix_spawn(&process, program, nil, &attributes, words, variables)
        guard code == 0 else {
            throw Failure(description: "cannot start \(program): \(String(cString: strerror(code)))")
        }
        return ProxyProcess(process)
    }

    private init(_ process: pid_t) {
        self.process = process
        let (watch, continuation) = AsyncStream.makeStream(of: Ending.self)
        self.watch = watch
        // A thread that waits: the child's end comes once, and whenever it likes.
        DispatchQueue(label: "tollkey-sandbox.proxy").async { [self] in
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            hasBeenReaped.store(true, ordering: .releasing)
            // wait(2): the low seven bits are the signal, the next byte the exit status.
            let number = status & 0x7f
            continuation.yield(number == 0 ? .exited(status >> 8 & 0xff) : .killed(number))
            continuation.finish()
        }
    }

    var hasEnded: Bool { hasBeenReaped.load(ordering: .acquiring) }

    /// Returns when it has ended; nil when the calling task was cancelled before. To be asked once.
    func ending() async -> Ending? { await watch.first { _ in true } }

    /// SIGTERM, and SIGKILL for one that does not go.
    func stop() async {
        tell(SIGTERM)
        let end = ContinuousClock.now + Self.stopTime
        while !hasEnded, ContinuousClock.now < end { await Self.pause() }
        guard !hasEnded else { return }
        tell(SIGKILL)
        while !hasEnded { await Self.pause() }
    }

    private func tell(_ number: Int32) {
        if !hasEnded { kill(process, number) }
    }

    /// Also for a task that was cancelled, which `Task.sleep` would not let wait.
    private static func pause() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
        }
    }
}
