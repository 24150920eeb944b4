import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// Ends waits for descriptors, for good: those under way and all to come. Any thread may strike.
final class Interrupt: Sendable {
    enum Wake {
        case ready
        /// The deadline has passed.
        case late
        case struck
    }

    private let descriptor: Int32
    private let hasBeenStruck = Atomic(false)

    init() throws(SystemError) {
        descriptor = try SystemError.check("eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_NONBLOCK))
    }

    deinit { Glibc.close(descriptor) }

    var isStruck: Bool { hasBeenStruck.load(ordering: .acquiring) }

    func strike() {
        hasBeenStruck.store(true, ordering: .releasing)
        // Nobody reads it, so whoever polls it from now on is woken.
        var one: UInt64 = 1
        write(descriptor, &one, 8)
    }

    /// The place of one of `descriptors` that can be read, looked for from `start` on; nil once struck.
    func wait(forAnyOf descriptors: [Int32], from start: Int) -> Int? {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        while !isStruck {
            poll(&entries, nfds_t(entries.count), -1)
            for offset in descriptors.indices {
                let index = (start + offset) % descriptors.count
                if entries[index].revents != 0 { return index }
            }
        }
        return nil
    }

    /// Waits for one of `events`, as poll(2) has them, or for an end or an error of `descriptor`.
    func wait(for events: Int32, on descriptor: Int32, until deadline: MonotonicTime) -> Wake {
        while !isStruck {
            let rest = deadline.nanoseconds - MonotonicTime.system().nanoseconds
            guard rest > 0 else { return .late }
            let milliseconds = Int32(clamping: rest / 1_000_000 + 1)
            var entries = (
                pollfd(fd: descriptor, events: Int16(events), revents: 0),
                pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            )
            let count = withUnsafeMutableBytes(of: &entries) {
                poll($0.bindMemory(to: pollfd.self).baseAddress, 2, milliseconds)
            }
            guard count >= 0 || errno == EINTR else { return .late }
            if entries.1.revents == 0, entries.0.revents != 0 { return .ready }
        }
        return .struck
    }
}
