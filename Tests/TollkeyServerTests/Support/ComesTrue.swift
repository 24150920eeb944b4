import Glibc

/// Whether `condition` comes true in the time that a test waits: for what happens by itself and tells nobody.
func comesTrue(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + .milliseconds(Int64(RawConnection.waitMilliseconds))
    while ContinuousClock.now < end {
        if try condition() { return true }
        sched_yield()
    }
    return false
}
