import Glibc

/// Keeps the signals with which people end a program from this thread: what lies between a provider's answer and the
/// disk must not be cut. What came meanwhile is acted upon at the end.
package struct SignalShelter {
    private var before = sigset_t()

    package init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, &before)
    }

    package func end() {
        var before = before
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
