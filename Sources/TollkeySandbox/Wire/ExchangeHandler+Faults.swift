import NIOCore

extension ExchangeHandler {
    /// How long an early answer stays before the connection goes: closing at once, with unread bytes, would
    /// reset the connection and could take the answer with it (RFC 9112 §9.6).
    private static let earlyAnswerLingerMilliseconds = 1_000

    /// The fault's doing, or the provider's.
    func answer(_ arrival: Arrival, context: ChannelHandlerContext) {
        let call = arrival.call(basePath: stage.basePath)
        if let fault = arrival.fault, let answer = stage.answer(fault, to: call) {
            return send(answer, to: arrival, context: context)
        }
        switch arrival.fault {
        case .slowHead(let milliseconds):
            after(milliseconds: milliseconds, context: context) { context in
                self.send(self.perform(call), to: arrival, context: context)
            }
        case .slowBody(let milliseconds):
            let atHalf = Outgoing.AtHalf.pause(milliseconds: milliseconds)
            send(perform(call), to: arrival, atHalf: atHalf, context: context)
        case .closeMidBody: send(perform(call), to: arrival, atHalf: .close, context: context)
        case .closeAfter: send(perform(call), to: arrival, closesAfter: true, context: context)
        case .loseAnswer:
            _ = perform(call)
            breakOff(arrival, context: context)
        case .closeBeforeHead, .reset, .garbage, .bothLengths, .stall:
            breakOff(arrival, context: context)
        // These struck before the body.
        case .earlyAnswer, .neverRead: break
        case nil, .unauthorized, .rateLimited, .rateLimitedUntil, .serverError, .unavailable, .status,
            .oauthError, .nonsense, .empty, .hollow, .huge, .redirect:
            send(perform(call), to: arrival, context: context)
        }
    }

    private func perform(_ call: Call?) -> Answer { stage.perform(call, connection: connection) }

    func strikeBeforeBody(_ fault: Fault, _ arrival: Arrival, context: ChannelHandlerContext) {
        holdsReads = true
        remember(arrival, isComplete: false)
        guard fault == .earlyAnswer else { return breakOff(arrival, context: context) }
        var answer = stage.answer(
            .badRequest("The request body is too large"), to: arrival.call(basePath: stage.basePath))
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
        case .closeBeforeHead, .slowHead, .slowBody, .closeMidBody, .loseAnswer, .unauthorized, .rateLimited,
            .rateLimitedUntil, .serverError, .unavailable, .status, .oauthError, .nonsense, .empty, .hollow,
            .huge, .redirect, .earlyAnswer, .closeAfter, nil:
            context.close(promise: nil)
        }
    }
}
