import Testing
import TollkeyCore
import TollkeyServer

struct ManualClockTests {
    @Test func `a manual clock stands still`() {
        let clock = ManualClock()
        #expect(clock.now() == clock.now())
    }

    @Test func `a manual clock moves by exactly what it is told`() {
        let clock = ManualClock()
        let start = clock.now()
        clock.advance(by: .seconds(2))
        clock.advance(by: .milliseconds(5))
        #expect(clock.now().nanoseconds - start.nanoseconds == 2_005_000_000)
    }

    @Test func `a manual clock that ticks moves at each look`() {
        let clock = ManualClock(tick: .milliseconds(20))
        let start = clock.now()
        #expect(clock.now().since(start) == TimeSpan(.milliseconds(20)))
        #expect(clock.now().since(start) == TimeSpan(.milliseconds(40)))
    }

    @Test func `the system's clock never goes back`() {
        let first = MonotonicTime.system()
        #expect(MonotonicTime.system() >= first)
    }
}
