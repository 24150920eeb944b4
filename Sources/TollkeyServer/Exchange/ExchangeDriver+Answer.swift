import TollkeyCore

/// The second half of an exchange: the provider's answer, from its first byte to the client's last.
extension ExchangeDriver {
    /// Whether the client can take more.
    var takesAnswer: Bool { client?.isBlocked != true && held?.isFull != true }

    func receiveAnswer(_ bytes: Span<UInt8>) {
        hadAnswerBytes = true
        guard exchange.stage != .answering else { return relay(bytes, from: 0) }
        guard exchange.stage != .judging else { return holdBack(bytes) }
        guard let stored = answerBytes else {
            let position = readAnswer(bytes)
            if exchange.stage == .sent, position < bytes.count {
                let buffer = loop.takeBuffer()
                buffer.append(bytes.extracting(position..<bytes.count))
                answerBytes = buffer
            }
            return
        }
        // Out of reach for what follows, which may end this exchange.
        answerBytes = nil
        stored.append(bytes)
        stored.drop(stored.read { readAnswer($0) })
        if exchange.stage == .sent {
            answerBytes = stored
        } else {
            loop.giveBack(stored)
        }
    }

    /// Reads heads up to the final one and relays what follows it; how many bytes are done with.
    private func readAnswer(_ bytes: Span<UInt8>) -> Int {
        var position = 0
        do throws(HeadError) {
            while exchange.stage == .sent {
                let rest = bytes.extracting(position..<bytes.count)
                guard try answer.read(rest) else { return position }
                position += answer.end
                guard answer.isInterim else {
                    notes.answered = loop.now
                    noteAnswered(rest)
                    if isRefusal, exchange.handle(.refused) == .renew {
                        beginHolding(rest)
                        return bytes.count
                    }
                    beginAnswer(rest)
                    relay(bytes, from: position)
                    return bytes.count
                }
                try relayInterim(rest)
                answer.reset()
            }
        } catch {
            let reason =
                if case .malformed(let text) = error { text.description } else { "its head is too large" }
            perform(
                exchange.handle(.answerInvalid("The provider's answer is not valid HTTP/1.1: \(reason).")))
        }
        return bytes.count
    }

    /// RFC 9110 §15.2. 100 answers an expectation, and that was answered here; 101 was not asked for.
    private func relayInterim(_ bytes: Span<UInt8>) throws(HeadError) {
        interimAnswers += 1
        guard interimAnswers <= ResponseHead.interimMax else { throw .malformed("too many interim answers") }
        guard answer.status != 101 else { throw .malformed("it switches protocols, which nobody asked for") }
        guard answer.status != 100, request.minorVersion == 1, let service else { return }
        loop.out.clear()
        service.responseRewriter.write(
            answer, bytes, .init(chunked: false, close: false, saysKeepAlive: false), into: loop.out)
        client?.write(loop.out.readable)
    }

    private func beginAnswer(_ bytes: Span<UInt8>) {
        guard let client, let service else { return }
        notes.isAnswered = true
        search.begin(service.requestIDs, answer.fields, bytes)
        if verification != nil { noteVerificationAnswer() }
        let (framing, isReusable) = answer.traits(toHead: request.isHEAD)
        answerContent = BodyDecoder(framing)
        let needsChunks: Bool
        switch framing {
        case .length: needsChunks = false
        case .chunked, .untilClose: needsChunks = true
        }
        isAnswerChunked = needsChunks && request.minorVersion == 1
        needsConnectionsEnd = needsChunks && !isAnswerChunked
        if needsConnectionsEnd || !content.isEnded || client.worker.isDraining {
            exchange.closeClientAfterwards()
        }
        _ = exchange.handle(.answerHead(reusable: isReusable))
        let persists = exchange.clientPersists
        let out = loop.out
        out.clear()
        service.responseRewriter.write(
            answer, bytes,
            .init(
                chunked: isAnswerChunked, close: !persists,
                saysKeepAlive: persists && request.minorVersion == 0),
            into: out)
        // What had to be held for a repetition is not needed any more.
        exchange.isHeld = false
        if sent == outgoing.count {
            outgoing.clear()
            sent = 0
        }
    }

    /// Passes content on; `loop.out` may hold a head that goes before it.
    private func relay(_ bytes: Span<UInt8>, from start: Int) {
        let out = loop.out
        if start == 0 { out.clear() }
        var position = start
        var direct = 0..<0
        var hasEnded = false
        do throws(HeadError) {
            reading: while true {
                switch try answerContent.next(bytes, at: &position) {
                case .content(let range):
                    notes.bytesOut += range.count
                    if search.wantsContent { search.read(bytes.extracting(range)) }
                    if tapped != nil { tap(bytes.extracting(range)) }
                    if isAnswerChunked {
                        out.appendChunkSize(range.count)
                        out.append(bytes.extracting(range))
                        out.append("\r\n")
                    } else if direct.isEmpty {
                        direct = range
                    } else {
                        out.append(bytes.extracting(direct))
                        direct = range
                    }
                case .more: break reading
                case .end:
                    hasEnded = true
                    captureVerification()
                    endAnswerCoding()
                    break reading
                }
            }
        } catch {
            let reason = if case .malformed(let text) = error { text.description } else { "it is too large" }
            // What was good goes out first, so that the client sees an answer without its end, and not nothing at all.
            client?.write(out.readable)
            let how = "The answer's content is not valid: \(reason)."
            perform(exchange.handle(.answerInvalid(how)), because: Failure(.upstreamBroke, how))
            return
        }
        // One small piece costs less to copy than two pieces cost the system.
        if direct.count <= Self.copiedBytesMax {
            out.append(bytes.extracting(direct))
            direct = 0..<0
        }
        bytes.extracting(direct).withUnsafeBytes { client?.write(out.readable, $0) }
        if hasEnded {
            perform(exchange.handle(.answerEnded(hasSurplus: position < bytes.count)))
        } else {
            waitForAnswer()
        }
    }

    private static let copiedBytesMax = 8 << 10

    private func endAnswerCoding() {
        guard isAnswerChunked else { return }
        loop.out.append("0\r\n")
        service?.responseRewriter.writeTrailers(answerContent.trailers, into: loop.out)
        loop.out.append("\r\n")
    }

    /// The connection's end was the answer's.
    func endAnswer() {
        loop.out.clear()
        captureVerification()
        endAnswerCoding()
        client?.write(loop.out.readable)
    }

    /// The client takes bytes again.
    func clientDrained() {
        waitForAnswer()
        connection?.resumeReading()
    }
}
