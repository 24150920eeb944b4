import TollkeyCore

/// One call, over as many addresses as it takes to find one that accepts a connection.
struct CallRun {
    private let call: OutgoingCall
    private let interrupter: Interrupter
    private let connectDeadline: MonotonicTime
    private let deadline: MonotonicTime

    init(_ call: OutgoingCall, _ interrupter: Interrupter) {
        self.call = call
        self.interrupter = interrupter
        let now = MonotonicTime.system()
        connectDeadline = now + TimeSpan(call.connectTimeout)
        deadline = now + TimeSpan(call.wholeTimeout)
    }

    func result() -> Result<CallAnswer, CallFault> {
        if let flaw = call.flaw {
            return .failure(CallFault(.malformed, wasSent: false, "the call cannot be made: \(flaw)"))
        }
        var tls: TLSContext?
        if call.url.scheme == .https {
            do throws(TLSContext.Unusable) { tls = try TLSContext(call.tls) } catch {
                return .failure(CallFault(.tls, wasSent: false, error.description))
            }
        }
        guard !call.addresses.isEmpty else { return attempt(nil, tls, addressesLeft: 1).result }
        var last = Result<CallAnswer, CallFault>.failure(.cancelled)
        for (index, address) in call.addresses.enumerated() {
            let outcome = attempt(address, tls, addressesLeft: call.addresses.count - index)
            last = outcome.result
            guard outcome.isUnreached, !interrupter.hasStruck else { break }
        }
        return last
    }

    /// `isUnreached` when the next address may be tried: nobody is there at this one.
    private func attempt(
        _ address: UpstreamAddress?, _ tls: TLSContext?, addressesLeft: Int
    ) -> (result: Result<CallAnswer, CallFault>, isUnreached: Bool) {
        guard let transfer = Transfer(call, to: address, tls: tls) else {
            let fault = CallFault(.broke, wasSent: false, "libcurl has no memory for a call")
            return (.failure(fault), false)
        }
        let now = MonotonicTime.system()
        // Each address gets its share of the time that is left, so that a dead one does not use up all of it.
        let share = (connectDeadline.nanoseconds - now.nanoseconds) / Int64(addressesLeft)
        let timeouts = Timeouts(
            connect: TimeSpan(.nanoseconds(share)),
            whole: TimeSpan(.nanoseconds(deadline.nanoseconds - now.nanoseconds)))
        let result = transfer.perform(timeouts, until: interrupter)
        guard case .failure(let fault) = result, !fault.wasSent else { return (result, false) }
        return (result, fault.kind == .connect || fault.kind == .timeout && !transfer.isHandshaking)
    }
}
