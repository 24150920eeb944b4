import TollkeyCore

/// The gate of the call's category: a permit for each time that the call is sent.
extension ExchangeDriver {
    /// What a permit is for: what is done once there is one.
    enum PermitUse {
        /// The call as a whole.
        case start
        /// Sending it, since the permit before was not good any more.
        case send
        /// Sending it once more, over another connection.
        case again
        /// Sending it once more, with a better credential.
        case renewed
    }

    /// Whether the call waits for a permit.
    var standsInLine: Bool { ticket != nil }

    /// Which gate the call must pass, if any.
    func findGate() -> QuotaGate? {
        guard let quotas = service?.board.quotas else { return nil }
        let category = input.read { bytes in
            let path = bytes.extracting(
                head.target.path.lowerBound + prefixLength..<head.target.path.upperBound)
            let method = bytes.extracting(head.method)
            return quotas.category(method: method, path: path.isEmpty ? Self.root.span : path)
        }
        guard let category else { return nil }
        let gate = quotas.gates[category]
        notes.category = notes.tally?.category(category)
        notes.categoryName = gate.nameInUTF8
        return gate
    }

    private static let root: [UInt8] = [UInt8(ascii: "/")]

    /// True when the call may go on at once. Otherwise it stands in line, or has been refused.
    func passGate(for use: PermitUse) -> Bool {
        guard let gate, let client, !hasPermit else { return true }
        guard ticket == nil else { return false }
        permitUse = use
        let number = client.worker.drawTicket()
        let patience = patience(gate)
        switch gate.arrive(number, of: caller, patience: patience) {
        case .admitted:
            hasPermit = true
            return true
        case .inLine:
            ticket = number
            client.worker.stand(self, number)
            enterLine()
            if use != .renewed {
                let span = max(patience, TimeSpan(LedgerClerk.ledgerPatience))
                client.waitForConnection(until: min(loop.now + span, wholeDeadline))
            }
            return false
        case .refused(let refusal):
            permitRefused(refusal)
            return false
        }
    }

    /// Who shares one place in the rotation of those that wait. Programs of one machine have one address and often one
    /// user; what they call themselves tells them apart. No more than courtesy among friends: who changes its name gets
    /// more turns.
    private var caller: UInt64 {
        let name = input.read { bytes in
            for line in head.fields.lines where line.name.count == 10 {
                guard bytes.extracting(line.name).isName("user-agent") else { continue }
                return bytes.extracting(line.value).numbered
            }
            return 0
        }
        return (client?.caller ?? 0) ^ name
    }

    private func patience(_ gate: QuotaGate) -> TimeSpan {
        guard client?.worker.isDraining == false else { return TimeSpan(nanoseconds: 0) }
        if let seconds = input.read({ Preferences.wait(head.fields, $0) }) {
            return min(TimeSpan(.seconds(seconds)), gate.waitMax)
        }
        return gate.settings.onLimit == .wait ? gate.waitMax : TimeSpan(nanoseconds: 0)
    }

    func permitGranted() {
        ticket = nil
        noteLeftLine()
        hasPermit = true
        switch permitUse {
        case .start: proceed()
        case .send: goOn()
        case .again: connectAgain()
        case .renewed: perform(exchange.handle(.renewed))
        }
        // Content may have come meanwhile.
        if let client { loop.continueLater(client) }
    }

    /// Nobody can have one in time.
    func permitRefused(_ refusal: QuotaRefusal) {
        ticket = nil
        noteLeftLine()
        notes.category?.figures.reject(refusal.reason)
        guard let gate, let service else { return }
        let failure = Failure(
            refusal, category: gate.settings, provider: service.provider.name, wall: loop.moment.wall)
        switch permitUse {
        case .start: refuse(failure)
        case .send: perform(exchange.handle(.notConnected(failure)))
        case .again:
            let how = "The connection to the provider was lost, and there is no permit for a repetition."
            perform(exchange.handle(.notConnected(Failure(.upstreamBroke, how))))
        case .renewed: perform(exchange.handle(.notRenewed))
        }
    }

    /// The permit is used now. False when it is not good any more.
    func spendPermit() -> Bool {
        guard let gate, hasPermit else { return true }
        hasPermit = false
        isCounted = gate.spend()
        return isCounted
    }

    /// A final head has come.
    func noteAnswered(_ bytes: Span<UInt8>) {
        guard isCounted, let gate else { return }
        isCounted = false
        let signals = RateSignals.read(
            answer.fields, bytes, status: answer.status, now: loop.moment.wall)
        gate.answered(answer.status, signals, at: loop.now)
    }

    /// What was sent will have no answer.
    func noteUnanswered() {
        guard isCounted, let gate else { return }
        isCounted = false
        gate.answered(nil, nil, at: loop.now)
    }

    /// The call is over, however it stands.
    func leaveGate() {
        noteUnanswered()
        leaveLine()
        if hasPermit { gate?.giveBack(at: loop.now) }
        hasPermit = false
        gate = nil
    }

    func leaveLine() {
        guard let ticket else { return }
        noteLeftLine()
        gate?.leave(ticket)
        client?.worker.leave(ticket)
        self.ticket = nil
    }
}

extension Span<UInt8> {
    /// The same number for the same bytes (FNV-1a).
    fileprivate var numbered: UInt64 {
        var number: UInt64 = 0xcbf2_9ce4_8422_2325
        for i in indices { number = (number ^ UInt64(self[i])) &* 0x100_0000_01b3 }
        return number
    }
}
