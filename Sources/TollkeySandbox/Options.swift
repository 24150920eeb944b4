/// How a sandbox is played.
package struct Options: Sendable {
    /// The first listener's port, the others count on from it in the order of `Sandbox.endpoints`; 0 takes
    /// free ones.
    package var portBase = 0
    package var credentials = SandboxCredentials()
    package var lifetimes = Lifetimes()
    package var limits = PiaxisLimits()
    /// Whether Tuku refuses calls without `X-Request-Token`.
    package var tukuNeedsRequestToken = false
    /// What is not held against anybody: for tests that provoke it.
    package var tolerated: Set<Violation.Kind> = []
    /// Unix seconds. Tests turn this clock; delays of faults are not measured with it.
    package var now: @Sendable () -> Int64 = UnixTime.system
    /// Called on an event loop as each answer's head goes out: quick, and never blocking.
    package var observe: (@Sendable (Exchange) -> Void)?
    package var threads = 1

    package init() {}
}
