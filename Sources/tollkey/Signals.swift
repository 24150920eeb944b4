import Glibc

/// The signals that the daemon answers, awaited by the main thread.
struct Signals {
    enum Wish { case reload, stop }

    private var set = sigset_t()

    /// From here on they wait until they are asked for; before any other thread is started.
    init() {
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// nil when none has come within `span`; nil waits for ever.
    func next(within span: Duration?) -> Wish? {
        var waited = set
        var time = timespec()
        if let (seconds, attoseconds) = span?.components {
            time.tv_sec = Int(seconds)
            time.tv_nsec = Int(attoseconds / 1_000_000_000)
        }
        while true {
            let number = span == nil ? sigwaitinfo(&waited, nil) : sigtimedwait(&waited, nil, &time)
            if number >= 0 { return number == SIGHUP ? .reload : .stop }
            if errno == EAGAIN { return nil }
        }
    }

    /// The next SIGTERM or SIGINT ends the process, as the system would have it.
    func endAtOnce() {
        var ends = sigset_t()
        sigemptyset(&ends)
        for number in [SIGTERM, SIGINT] {
            sigaddset(&ends, number)
            // A shell without job control starts its background processes with SIGINT ignored.
            signal(number, SIG_DFL)
        }
        pthread_sigmask(SIG_UNBLOCK, &ends, nil)
    }
}
