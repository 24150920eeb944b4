import CLinux
import Glibc
import TollkeyCore

/// Something with a file descriptor that an event loop watches, and a time by which something must happen to it.
///
/// Lives on one event loop and is touched by its thread only.
class Pollable {
    let loop: EventLoop
    /// Kept to be used by others. Whatever happens to it is news.
    var isIdle = false
    /// The loop has it on its list for the next turn.
    var isUnfinished = false
    /// -1 when closed.
    private(set) var descriptor: Int32
    /// Tells this one from a later one with the same descriptor, in events that were already under way.
    private(set) var generation: UInt32 = 0
    /// When `deadlinePassed` is to be called; set with `setDeadline`.
    private(set) var deadline = MonotonicTime.never

    init(loop: EventLoop) {
        self.loop = loop
        descriptor = -1
    }

    /// Edge-triggered: called once for each change, so that whoever leaves something unread must remember it.
    func ready(_ events: Readiness) {}

    func deadlinePassed() {}

    /// Starts to be watched; false when the system refuses.
    func watch(_ descriptor: Int32) -> Bool {
        guard let generation = loop.register(self, descriptor) else { return false }
        self.descriptor = descriptor
        self.generation = generation
        return true
    }

    func setDeadline(_ time: MonotonicTime) {
        deadline = time
        if time < loop.nextSweep { loop.nextSweep = time }
    }

    func clearDeadline() { deadline = .never }

    /// Ends the watch and closes the descriptor. `isShared`: others have duplicates of it, so that the system does not
    /// take it out of epoll by itself.
    func closeDescriptor(isShared: Bool = false) {
        guard descriptor >= 0 else { return }
        loop.forget(descriptor, isShared: isShared)
        Glibc.close(descriptor)
        descriptor = -1
        deadline = .never
    }
}

/// What epoll reports.
struct Readiness: OptionSet {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: tollkey_EPOLLIN)
    static let writable = Readiness(rawValue: tollkey_EPOLLOUT)
    /// The peer has finished sending.
    static let peerFinished = Readiness(rawValue: tollkey_EPOLLRDHUP)
    /// Both directions are over, or the connection was reset.
    static let broken = Readiness(rawValue: tollkey_EPOLLHUP | tollkey_EPOLLERR)
}
