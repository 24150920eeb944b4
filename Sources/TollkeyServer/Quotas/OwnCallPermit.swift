import TollkeyCore

/// A permit for one of the proxy's own calls, which blocks its thread. Used once.
final class OwnCallPermit {
    /// Not sent yet; sent, and no answer has come; nothing is to be told any more.
    private enum State { case held, sent, over }

    private let gate: QuotaGate
    private let clerk: LedgerClerk
    private var state = State.held

    private var now: MonotonicTime { clerk.clock.monotonic() }

    /// How long such a call stands in line.
    static let patience: Duration = .seconds(5)

    fileprivate init(_ gate: QuotaGate, _ clerk: LedgerClerk) {
        self.gate = gate
        self.clerk = clerk
    }

    /// The call is being sent.
    func spend() throws(ProviderCalls.Fault) {
        state = .over
        guard gate.spend() else { throw gate.fault(gate.refusal(at: now)) }
        state = .sent
    }

    func answered(_ answer: TokenAnswer, asked: Moment) {
        state = .over
        gate.answered(answer.status, answer.rates(now: asked.wall), at: now)
        clerk.settle(gate)
    }

    /// The call is over, however it stands.
    fileprivate func end() {
        switch state {
        case .held: gate.giveBack(at: now)
        case .sent: gate.answered(nil, nil, at: now)
        case .over: return
        }
        state = .over
        clerk.settle(gate)
    }
}

extension ProviderQuotas {
    /// Waits for a permit and lends it; nil when the call needs none. Calls to other hosts than the upstream's are in no
    /// category.
    func withPermit<Result>(
        for call: RenderedCall, upstream: UpstreamURL,
        _ body: (OwnCallPermit?) throws(ProviderCalls.Fault) -> Result
    ) throws(ProviderCalls.Fault) -> Result {
        guard call.place == .upstream else { return try body(nil) }
        let method = Array(call.method.utf8)
        let path = call.target.reveal { target in
            Array(target.dropFirst(upstream.basePath.utf8.count).prefix { $0 != UInt8(ascii: "?") })
        }
        guard let gate = category(method: method.span, path: path.span).map({ gates[$0] }) else {
            return try body(nil)
        }
        if let refusal = clerk.wait(for: gate, patience: OwnCallPermit.patience) {
            throw gate.fault(refusal)
        }
        let permit = OwnCallPermit(gate, clerk)
        defer { permit.end() }
        return try body(permit)
    }
}

extension QuotaGate {
    fileprivate func fault(_ refusal: QuotaRefusal) -> ProviderCalls.Fault {
        let seconds = max(1, refusal.retryIn.secondsUp)
        return ProviderCalls.Fault(
            wasSent: false,
            words: "the limit of category '\(settings.name)' lets no call pass for \(seconds) s",
            limited: .seconds(seconds))
    }
}
