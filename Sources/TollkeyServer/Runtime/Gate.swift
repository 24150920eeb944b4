import CLinux
import Glibc
import TollkeyCore

/// Counts events of other threads for one that waits.
final class Gate: Sendable {
    private let descriptor: Int32

    init() throws(SystemError) {
        let flags = tollkey_EFD_CLOEXEC | tollkey_EFD_SEMAPHORE | tollkey_EFD_NONBLOCK
        descriptor = try SystemError.check("eventfd", eventfd(0, flags))
    }

    func open() {
        var one: UInt64 = 1
        write(descriptor, &one, 8)
    }

    /// False when it was not opened `count` times within `timeout`; nil waits for ever.
    func wait(for count: Int, timeout: Duration?) -> Bool {
        let end = timeout.map { MonotonicTime.system() + TimeSpan($0) }
        var left = count
        while left > 0 {
            var milliseconds: Int32 = -1
            if let end {
                let rest = end.nanoseconds - MonotonicTime.system().nanoseconds
                guard rest > 0 else { return false }
                milliseconds = Int32(clamping: rest / 1_000_000 + 1)
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, milliseconds)
            var value: UInt64 = 0
            if read(descriptor, &value, 8) == 8 { left -= 1 }
        }
        return true
    }

    deinit { Glibc.close(descriptor) }
}
