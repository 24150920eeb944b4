import TollkeyCore

/// A permit for one of the proxy's own calls, which blocks its thread. Used once.
struct OwnCallPermit {
    fileprivate let gate: QuotaGate
    fileprivate let clerk: LedgerClerk

    private var clock: Clock { clerk.clock }

    /// How long such a call stands in line.
    static let patience: Duration = .seconds(5)

    /// The call is being sent.
    func spend() throws(ProviderCalls.Fault) {
        guard gate.spend() else {
            throw gate.fault(gate.refusal(at: clock.monotonic()))
        }
    }

    func answered(_ answer: TokenAnswer, asked: Moment) {
        var signals = RateSignals()
        signals.retryAfter = answer.status == 429 ? RetryAfter.read(answer, asked: asked) : nil
        gate.answered(answer.status, signals, at: clock.monotonic())
        clerk.settle(gate)
    }

    func unanswered() {
        gate.answered(nil, nil, at: clock.monotonic())
        clerk.settle(gate)
    }
}

extension ProviderQuotas {
    /// Waits for a permit; nil when the call needs none. Calls to other hosts than the upstream's are in no category.
    func permit(
        for call: RenderedCall, upstream: UpstreamURL
    ) throws(ProviderCalls.Fault) -> OwnCallPermit? {
        guard call.place == .upstream else { return nil }
        let method = Array(call.method.utf8)
        let path = call.target.reveal { target in
            Array(target.dropFirst(upstream.basePath.utf8.count).prefix { $0 != UInt8(ascii: "?") })
        }
        guard let gate = category(method: method.span, path: path.span).map({ gates[$0] }) else { return nil }
        if let refusal = clerk.wait(for: gate, patience: OwnCallPermit.patience) {
            throw gate.fault(refusal)
        }
        return OwnCallPermit(gate: gate, clerk: clerk)
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
