import TollkeyCore

/// Doing what was decided, and what is left to do when an exchange is over.
extension ExchangeDriver {
    /// As `perform`; `failure` is for the log when the client can only be shown it by cutting the answer short.
    func perform(_ action: Exchange.Action, because failure: Failure) {
        if case .cut = action { notes.failure = failure }
        perform(action)
    }

    func perform(_ action: Exchange.Action) {
        switch action {
        case .nothing: break
        case .send: send()
        case .sendAgain: sendAgain()
        case .renew: break
        case .sendRenewed: sendRenewed()
        case .relay: relayHeldAnswer()
        case .answer(let failure): answerLocally(failure)
        case .finish(let keepUpstream, let keepClient):
            noteEnd(.provider, answer.status, nil)
            finish(keepUpstream, keepClient)
        case .cut: cut()
        }
    }

    private func sendAgain() {
        notes.tally?.figures.retriesLost &+= 1
        noteAttemptOver(.upstreamBroke)
        connection?.close()
        connection = nil
        noteUnanswered()
        if passGate(for: .again) { connectAgain() }
    }

    func connectAgain() {
        guard let upstream else { return }
        // What is made anew for each request is so for a repetition.
        let isSame = upstream.credentials.snapshot.isConstant && notes.trace == nil
        guard isSame || placeHead() else { return }
        waitForConnection(upstream, isFresh: true)
    }

    private func sendRenewed() {
        guard let upstream else { return }
        notes.tally?.figures.retriesRefused &+= 1
        noteAttemptOver(nil, status: answer.status)
        letGo(held?.isReusable == true && exchange.requestHasEnded && sent == outgoing.count)
        forgetAnswer()
        guard placeHead() else { return }
        waitForConnection(upstream, isFresh: false)
    }

    private func answerLocally(_ failure: Failure) {
        guard let client else { return }
        let keepsClient = exchange.requestHasEnded && exchange.clientPersists && failure.kind != .badRequest
        let provider = service?.provider.name
        let answer = LocalAnswer(
            failure, provider: provider, requestID: notes.id.description,
            closes: !keepsClient, saysKeepAlive: keepsClient && request.minorVersion == 0)
        loop.out.clear()
        answer.write(into: loop.out, withoutContent: request.isHEAD)
        client.write(loop.out.readable)
        noteEnd(.tollkey, failure.kind.row.status, failure)
        finish(false, keepsClient)
    }

    private func finish(_ keepUpstream: Bool, _ keepClient: Bool) {
        letGo(keepUpstream)
        guard let client else { return }
        input.drop(keepClient ? consumed : input.count)
        let isRead = exchange.requestHasEnded
        end()
        client.exchangeEnded(keepsConnection: keepClient, isRead: isRead)
    }

    func cut() {
        noteCut()
        letGo(false)
        let client = self.client
        let endsWithConnection = needsConnectionsEnd
        end()
        input.clear()
        client?.close(isCut: endsWithConnection)
    }

    func letGo(_ keepUpstream: Bool) {
        noteUnanswered()
        if let connection {
            self.connection = nil
            if keepUpstream { connection.release() } else { connection.close() }
        }
        upstream?.cancel(self)
    }

    /// Ready for the next answer.
    private func forgetAnswer() {
        answer.reset()
        if let answerBytes { loop.giveBack(answerBytes) }
        answerBytes = nil
        if let held { loop.giveBack(held.bytes) }
        held = nil
        seeksRemedy = false
        interimAnswers = 0
        needsConnectionsEnd = false
        hadAnswerBytes = false
        answerContent = BodyDecoder(.length(0))
    }

    /// Ready for the next request.
    private func end() {
        leaveGate()
        notes = CallNotes()
        prefixLength = 0
        contentBytes = 0
        client = nil
        service = nil
        upstream = nil
        head.reset()
        forgetAnswer()
        outgoing.clear()
        headLength = 0
        sent = 0
        consumed = 0
        if let gathered { loop.giveBack(gathered) }
        gathered = nil
        isGathering = false
        awaitsCredential = false
        verification = nil
        verificationToken = nil
        tapped = nil
        added = []
        request = RequestTraits()
        wholeDeadline = .never
    }
}
