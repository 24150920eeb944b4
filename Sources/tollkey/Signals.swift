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

    func next() -> Wish {
        var number: Int32 = 0
        var waited = set
        while sigwait(&waited, &number) != 0 {}
        return number == SIGHUP ? .reload : .stop
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
