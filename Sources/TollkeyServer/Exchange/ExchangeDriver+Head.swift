import TollkeyCore

/// The head as the provider gets it: when it can be written, and with which credential.
extension ExchangeDriver {
    /// All that the head is made from is there, but perhaps a credential.
    func goOn() {
        guard let upstream, let service, verify() else { return }
        awaitsCredential = false
        switch upstream.credentials.standing {
        case .usable:
            guard passGate(for: .send), headLength > 0 || placeHead() else { return }
            waitForConnection(upstream, isFresh: false)
        case .coming:
            guard upstream.credentials.wait(self) else {
                let failure = Failure(
                    .overloaded, "Too many calls wait for the provider's credential.", retryAfter: 1)
                return perform(exchange.handle(.notConnected(failure)))
            }
            awaitsCredential = true
            client?.waitForConnection(until: min(loop.now + service.credentialTimeout, wholeDeadline))
        case .missing(let failure): perform(exchange.handle(.notConnected(failure)))
        }
    }

    /// Something was published about the provider's credentials.
    func credentialChanged() {
        switch exchange.stage {
        case .waiting: if awaitsCredential { goOn() }
        case .judging: seekRemedy()
        case .sent, .answering, .finished: break
        }
    }

    /// False when the call has been answered instead.
    func writeHead(into out: Buffer) -> Bool {
        guard let service, let upstream else { return false }
        let snapshot = upstream.credentials.snapshot
        guard gathered != nil || !snapshot.needsContent else {
            // A reload came between this call's head and its credential.
            let failure = Failure(
                .credentialUnavailable, "The provider's configuration changed during the call.", retryAfter: 1
            )
            perform(exchange.handle(.requestInvalid(failure)))
            return false
        }
        let start = out.count
        do throws(RenderingError) {
            try input.read { bytes throws(RenderingError) in
                try service.requestRewriter.write(
                    head, bytes, prefixLength: prefixLength, credential: snapshot,
                    occasion: occasion(snapshot),
                    added: added, trace: nextAttempt(), into: out)
            }
        } catch {
            let failure = Failure(.badRequest, "The call cannot be given its credentials: \(error.words).")
            perform(exchange.handle(.requestInvalid(failure)))
            return false
        }
        headLength = out.count - start
        generation = snapshot.generation
        return true
    }

    /// What `snapshot` makes of this request and this moment; nil when that is nothing.
    private func occasion(_ snapshot: CredentialSnapshot) -> Occasion? {
        guard !snapshot.isConstant else { return nil }
        return Occasion(now: loop.moment.wall, content: heldContent)
    }

    /// Puts a head, with the credential that there is now, before the content that is held, in the place of the one
    /// before. False when the call has been answered instead.
    func placeHead() -> Bool {
        let out = loop.out
        out.clear()
        let before = headLength
        guard writeHead(into: out) else { return false }
        if let gathered {
            appendGathered(gathered, to: out)
        } else {
            out.append(UnsafeRawBufferPointer(rebasing: outgoing.readable[before...]))
        }
        outgoing.clear()
        outgoing.append(out.readable)
        sent = 0
        return true
    }

    private func appendGathered(_ gathered: Buffer, to out: Buffer) {
        guard request.framing == .chunked else { return out.append(gathered.readable) }
        if gathered.count > 0 {
            out.appendChunkSize(gathered.count)
            out.append(gathered.readable)
            out.append("\r\n")
        }
        appendLastChunk(to: out)
    }
}
