import TollkeySandbox

/// The calls of the demo, made and told one after the other.
struct Show: Sendable {
    let listen: LoopbackAddress
    let sandbox: Sandbox
    let page: Page

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let readyTime = Duration.seconds(10)

    /// Returns early, having said nothing, when the proxy ends.
    func perform(_ proxy: ProxyProcess) async throws {
        try await waitUntilReady(proxy)
        page.showTitle()
        let client = ProxyClient(address: listen)
        for call in DemoCall.all {
            let before = sandbox.record.count(of: call.provider)
            let reply = try await client.send(call)
            let hasArrived = sandbox.record.count(of: call.provider) > before
            page.show(
                call, from: listen,
                arrival: hasArrived ? sandbox.record.requests(of: call.provider).last : nil,
                reply)
        }
        let refused = DemoCall.rebound
        let before = sandbox.record.count(of: refused.provider)
        let reply = try await client.send(refused)
        page.showRefusal(
            refused, from: listen, hasArrived: sandbox.record.count(of: refused.provider) > before, reply)
        for violation in sandbox.violations { page.showViolation(violation) }
    }

    /// A call for no provider is answered by the proxy itself, as soon as it answers anything.
    private func waitUntilReady(_ proxy: ProxyProcess) async throws {
        let client = ProxyClient(address: listen)
        let end = ContinuousClock.now + Self.readyTime
        while ContinuousClock.now < end, !proxy.hasEnded {
            if let reply = try? await client.send(.nowhere), reply.header("Tollkey-Problem") != nil { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw proxy.hasEnded ? CancellationError() : Failure(description: "the proxy is not ready in time")
    }
}
