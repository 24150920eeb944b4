import CCurl
import Synchronization

/// Lets another thread end a transfer at once.
final class Interrupter: Sendable {
    private struct State {
        var hasStruck = false
        /// The multi handle to wake, as a number: the address of something that belongs to another thread.
        var multi: UInt?
    }
    private let state = Mutex(State())

    var hasStruck: Bool { state.withLock { $0.hasStruck } }

    /// From now until `detach`, `strike` wakes whoever polls `multi`.
    func attach(_ multi: UnsafeMutableRawPointer) {
        let address = UInt(bitPattern: multi)
        state.withLock { $0.multi = address }
    }

    func detach() { state.withLock { $0.multi = nil } }

    func strike() {
        state.withLock { state in
            state.hasStruck = true
            // What libcurl allows from another thread, as long as the handle lives; the lock sees to that.
            if let multi = state.multi { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: multi)) }
        }
    }
}
