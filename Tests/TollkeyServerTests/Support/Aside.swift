import Glibc
import Synchronization

/// Work that blocks, on a thread of its own.
final class Aside<Value: Sendable>: Sendable {
    private let work: @Sendable () throws -> Value
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    /// The end that is read from, and the one whose closing tells that the work is done.
    private let ends: (read: Int32, write: Int32)

    init(_ work: @escaping @Sendable () throws -> Value) throws {
        self.work = work
        var pair: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw RawConnection.Failure.system("socketpair", errno)
        }
        ends = (pair[0], pair[1])
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<AnyAside>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(AnyAside(run)).toOpaque())
        guard result == 0 else { throw RawConnection.Failure.system("pthread_create", result) }
        pthread_detach(thread)
    }

    deinit { close(ends.read) }

    private func run() {
        let result = Result { try work() }
        outcome.withLock { $0 = result }
        close(ends.write)
    }

    /// What the work came to.
    func value() throws -> Value {
        var entry = pollfd(fd: ends.read, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, RawConnection.waitMilliseconds * 2) == 1,
            let result = outcome.withLock({ $0 })
        else { throw RawConnection.Failure.late }
        return try result.get()
    }
}

/// What a thread of the system can be handed.
private final class AnyAside {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
