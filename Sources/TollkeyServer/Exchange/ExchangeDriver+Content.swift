import TollkeyCore

/// The client's content: taken in, checked, and passed on or held.
extension ExchangeDriver {
    /// Whether more content can be taken in now.
    var takesContent: Bool {
        guard !content.isEnded, exchange.stage != .finished else { return false }
        if standsInLine, exchange.stage == .waiting { return false }
        if isGathering { return true }
        if let connection, exchange.stage != .judging { return !connection.isBlocked }
        return outgoing.count < replayBytes
    }

    var replayBytes: Int { service?.provider.body.replay ?? 0 }

    /// Content that was read from the client just now; what lies behind its end is kept for the next request.
    func receiveContent(_ bytes: Span<UInt8>) {
        // What came with the head is done with, or there would be no reading on.
        consumed = input.count
        let end = takeContent(bytes, from: 0)
        guard exchange.stage != .finished, content.isEnded else { return }
        input.append(bytes.extracting(end..<bytes.count))
        if isGathering {
            isGathering = false
            goOn()
        }
    }

    /// Decodes content, checks it and sends it on; where it ends, or where what is given ends.
    func takeContent(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var position = start
        do throws(HeadError) {
            reading: while true {
                switch try content.next(bytes, at: &position) {
                case .content(let range):
                    contentBytes += range.count
                    guard contentBytes <= service?.provider.body.max ?? 0 else { throw .contentTooLarge }
                    guard gathered == nil || contentBytes <= replayBytes else {
                        perform(exchange.handle(.requestInvalid(Self.tooLargeToHold)))
                        return position
                    }
                    appendContent(bytes.extracting(range))
                case .more: break reading
                case .end:
                    if request.framing == .chunked, gathered == nil { appendLastChunk(to: outgoing) }
                    perform(exchange.handle(.requestEnded))
                    break reading
                }
            }
        } catch {
            perform(exchange.handle(.requestInvalid(Failure(error))))
            return position
        }
        sendOutgoing()
        if exchange.stage != .waiting || isGathering { client?.exchangeGoesOn() }
        return position
    }

    private static let tooLargeToHold = Failure(
        .bodyTooLarge,
        "The provider's credential depends on the content, which is larger than 'body.replay' lets it be held."
    )

    private func appendContent(_ bytes: Span<UInt8>) {
        if let gathered { return gathered.append(bytes) }
        guard request.framing == .chunked else { return outgoing.append(bytes) }
        outgoing.appendChunkSize(bytes.count)
        outgoing.append(bytes)
        outgoing.append("\r\n")
    }

    func appendLastChunk(to out: Buffer) {
        out.append("0\r\n")
        service?.requestRewriter.writeTrailers(content.trailers, into: out)
        out.append("\r\n")
    }
}
