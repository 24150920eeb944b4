import CLinux
import Glibc
import Synchronization

/// The right to be the only one who does something, among all processes that share a state directory.
///
/// Held until `release`, or until this object or its process is gone, however it went. It is the system's (flock(2)),
/// on a file that stays: one removed while somebody waits for it would make two locks out of one.
package final class StateLock: Sendable {
    /// -1 when released.
    private let descriptor: Atomic<Int32>

    private init(_ descriptor: Int32) { self.descriptor = Atomic(descriptor) }

    deinit { release() }

    /// nil while somebody else holds it: another process, or another part of this one.
    static func attempt(_ name: String, in directory: StateDirectory) throws(StateFailure) -> StateLock? {
        let name = "\(StateDirectory.locks)/\(name)"
        var opened = try directory.open(name, O_RDWR)
        if opened == nil {
            try directory.make(name, [])
            opened = try directory.open(name, O_RDWR)
        }
        guard let descriptor = opened else { throw directory.unusable(name, ENOENT) }
        while tollkey_try_flock(descriptor) != 0 {
            let code = errno
            if code == EINTR { continue }
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw directory.unusable(name, code)
        }
        return StateLock(descriptor)
    }

    package func release() {
        let descriptor = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if descriptor >= 0 { close(descriptor) }
    }
}
