import NIOCore

extension ExchangeHandler {
    /// How long an early answer stays before the connection goes: closing at once, with unread bytes, would
    /// reset the connection and could take the answer with it (RFC 9112 §9.6).
    private static let earlyAnswerLingerMilliseconds = 1_000

    /// The fault's doing, or the provider's.
    func answer(_ arrival: Arrival, context: ChannelHandlerContext) {
        let call = arrival.call(basePath: stage.provider.basePath)
        switch arrival.fault {
        case nil: send(stage.answer(call), to: arrival, context: context)
        case .unauthorized: send(stage.answer(.unauthorized, to: call), to: arrival, context: context)
        case .rateLimited(let seconds):
            send(stage.answer(.rateLimited(retryAfter: seconds), to: call), to: arrival, context: context)
        case .serverError: send(stage.answer(.serverError, to: call), to: arrival, context: context)
        case .slowHead(let milliseconds):
            after(milliseconds: milliseconds, context: context) { context in
                self.send(self.stage.answer(call), to: arrival, context: context)
            }
        case .slowBody(let milliseconds):
            let atHalf = Outgoing.AtHalf.pause(milliseconds: milliseconds)
            send(stage.answer(call), to: arrival, atHalf: atHalf, context: context)
        case .closeMidBody: send(stage.answer(call), to: arrival, atHalf: .close, context: context)
        case .closeAfter: send(stage.answer(call), to: arrival, closesAfter: true, context: context)
        case .closeBeforeHead, .reset, .garbage, .bothLengths, .stall:
            breakOff(arrival, context: context)
        // These struck before the body.
        case .earlyAnswer, .neverRead: break
        }
    }

    func strikeBeforeBody(_ fault: Fault, _ arrival: Arrival, context: ChannelHandlerContext) {
        holdsReads = true
        remember(arrival, isComplete: false)
        guard fault == .earlyAnswer else { return breakOff(arrival, context: context) }
        var answer = stage.answer(
            .badRequest("The request body is too large"), to: arrival.call(basePath: stage.provider.basePath))
        answer.status = 413
        answer.add("Connection", "close")
        send(answer, to: arrival, staysOpen: true, context: context)
        phase = .over
        after(milliseconds: Self.earlyAnswerLingerMilliseconds, context: context) { context in
            context.close(promise: nil)
        }
    }

    /// Ends, or lets hang, without an answer that is HTTP.
    private func breakOff(_ arrival: Arrival, context: ChannelHandlerContext) {
        phase = .over
        observe(arrival, status: nil)
        switch arrival.fault {
        case .reset: tap.closeNow(isReset: true)
        case .garbage:
            sendRaw("220 mail.sandbox.test ESMTP, not HTTP at all\r\n\u{1}\u{2}\u{3}\r\n", context: context)
            context.close(promise: nil)
        case .bothLengths:
            let lengths = "Content-Length: 5\r\nTransfer-Encoding: chunked"
            sendRaw("HTTP/1.1 200 OK\r\n\(lengths)\r\n\r\n5\r\nhello\r\n0\r\n\r\n", context: context)
            context.close(promise: nil)
        case .stall, .neverRead:
            after(milliseconds: Fault.delayMillisecondsMax, context: context) { _ in
                self.tap.closeNow(isReset: false)
            }
        case .closeBeforeHead, .slowHead, .slowBody, .closeMidBody, .unauthorized, .rateLimited, .serverError,
            .earlyAnswer, .closeAfter, nil:
            context.close(promise: nil)
        }
    }
}
