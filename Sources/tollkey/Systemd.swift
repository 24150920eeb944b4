import Glibc

/// What a service manager hands over and wants to hear (sd_listen_fds(3), sd_notify(3)).
enum Systemd {
    private static let firstDescriptor: Int32 = 3
    private static let socketsMax: Int32 = 64

    /// Sockets that listen already; none when this process was not started through one.
    static func takeSockets() -> [Int32] {
        guard number("LISTEN_PID") == getpid(), let count = number("LISTEN_FDS"), count > 0 else { return [] }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        let descriptors = firstDescriptor..<firstDescriptor + min(count, socketsMax)
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return Array(descriptors)
    }

    /// Tells the manager; without one nothing happens.
    static func notify(_ message: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), path.utf8.count > 1 else {
            return
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { out in
            out.copyBytes(from: bytes)
            // An abstract address is written with an @ for its NUL.
            if bytes[0] == UInt8(ascii: "@") { out[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.utf8.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// Half of what the manager waits for a sign of life; nil when it waits for none.
    static let watchdogInterval: Duration? = {
        guard let text = getenv("WATCHDOG_USEC").map({ String(cString: $0) }), let span = Int64(text),
            span > 0,
            getenv("WATCHDOG_PID") == nil || number("WATCHDOG_PID") == getpid()
        else { return nil }
        return .microseconds(span / 2)
    }()

    static func monotonicMicroseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    private static func number(_ name: String) -> Int32? {
        getenv(name).flatMap { Int32(String(cString: $0)) }
    }
}
