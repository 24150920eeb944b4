import Testing
import TollkeyCore

struct ExchangeReplayTests {
    private func sent(repeatable: Bool = true) -> Exchange {
        var exchange = Exchange(isRepeatable: repeatable, hasContent: true, clientPersists: true)
        _ = exchange.handle(.connected)
        return exchange
    }

    @Test func `a request is sent again when it is repeatable, held, and nothing was answered`() {
        for flags in 0..<8 {
            let (isRepeatable, isHeld, hadBytes) = (flags & 1 == 0, flags & 2 == 0, flags & 4 != 0)
            var exchange = sent(repeatable: isRepeatable)
            exchange.isHeld = isHeld
            let action = exchange.handle(loss(clean: flags & 1 == 0, hadBytes: hadBytes))
            if isRepeatable && isHeld && !hadBytes {
                #expect(action == .sendAgain)
                #expect(exchange.stage == .waiting)
                #expect(exchange.handle(.connected) == .send)
                #expect(exchange.attempts == 2)
            } else {
                #expect(action.words == "upstream-broke, perhaps processed")
                #expect(exchange.stage == .finished)
            }
        }
    }

    @Test func `attempts are bounded`() {
        var exchange = sent()
        for attempt in 2...Exchange.lossesMax + 1 {
            #expect(exchange.handle(loss()) == .sendAgain)
            #expect(exchange.handle(.connected) == .send)
            #expect(exchange.attempts == attempt)
        }
        #expect(exchange.handle(loss()).words == "upstream-broke, perhaps processed")
        #expect(exchange.attempts == Exchange.lossesMax + 1)
    }

    @Test func `a refused credential holds the answer back, and a better one sends the request again`() {
        var exchange = sent(repeatable: false)
        #expect(exchange.handle(.refused) == .renew)
        #expect(exchange.stage == .judging)
        #expect(exchange.handle(.requestEnded) == .nothing)
        #expect(exchange.handle(.renewed) == .sendRenewed)
        #expect(exchange.handle(.connected) == .send)
        #expect(exchange.attempts == 2)
        #expect(exchange.handle(.refused) == .nothing, "one replay is all")
        _ = exchange.handle(.answerHead(reusable: true))
        #expect(
            exchange.handle(.answerEnded(hasSurplus: false)) == .finish(keepUpstream: true, keepClient: true))
    }

    @Test func `without a better credential the provider's own answer is relayed`() {
        for event in [.notRenewed, .timedOut(.credential), .timedOut(.whole)] as [Exchange.Event] {
            var exchange = sent(repeatable: false)
            _ = exchange.handle(.refused)
            #expect(exchange.handle(event) == .relay)
            #expect(exchange.handle(.refused) == .nothing, "it has been judged")
            #expect(exchange.handle(.renewed) == .nothing)
            #expect(exchange.handle(.answerHead(reusable: true)) == .nothing)
            #expect(exchange.stage == .answering)
        }
    }

    @Test func `what is not held any more is not sent again for a refusal`() {
        var exchange = sent()
        exchange.isHeld = false
        #expect(exchange.handle(.refused) == .nothing)
        #expect(exchange.stage == .sent)
    }

    @Test func `a request that was refused has not been processed`() {
        var exchange = sent(repeatable: false)
        _ = exchange.handle(.refused)
        _ = exchange.handle(.renewed)
        let failure = Failure(.upstreamUnreachable, "No.")
        #expect(exchange.handle(.notConnected(failure)).words == "upstream-unreachable, not processed")
    }

    @Test func `while an answer is held back the provider's end is not the exchange's`() {
        for event in [
            .connected, .notConnected(Failure(.overloaded, "")), .answerHead(reusable: true), .refused,
            .answerEnded(hasSurplus: false), loss(), .answerInvalid("x"),
        ] as [Exchange.Event] {
            var exchange = sent()
            _ = exchange.handle(.refused)
            #expect(exchange.handle(event) == .nothing)
            #expect(exchange.stage == .judging)
        }
        for (event, words) in [
            (.clientLost, "cut"), (.drainEnded, "draining, not processed"),
            (.requestInvalid(Failure(.badRequest, "")), "bad-request"),
        ] as [(Exchange.Event, String)] {
            var exchange = sent()
            _ = exchange.handle(.refused)
            #expect(exchange.handle(event).words == words)
            #expect(exchange.stage == .finished)
        }
    }

    @Test func `only a lost connection leads to a repetition`() {
        for event in [.timedOut(.head), .timedOut(.transfer), .timedOut(.whole), .answerInvalid("x")]
            as [Exchange.Event]
        {
            var exchange = sent()
            #expect(exchange.handle(event).words.hasSuffix(", perhaps processed"))
        }
        var answering = sent()
        _ = answering.handle(.answerHead(reusable: true))
        #expect(answering.handle(loss()) == .cut)
    }

    @Test func `a second attempt that is answered ends as a first one does`() {
        var exchange = sent()
        _ = exchange.handle(loss())
        _ = exchange.handle(.requestEnded)
        _ = exchange.handle(.connected)
        _ = exchange.handle(.answerHead(reusable: true))
        #expect(
            exchange.handle(.answerEnded(hasSurplus: false)) == .finish(keepUpstream: true, keepClient: true))
    }

    @Test(
        arguments: [
            .timedOut(.connection), .timedOut(.whole), .drainEnded,
            .notConnected(Failure(.upstreamUnreachable, "No.")),
        ] as [Exchange.Event])
    func `after a first attempt the provider may have acted, whatever becomes of the second`(
        _ event: Exchange.Event
    ) {
        var exchange = sent()
        #expect(exchange.handle(loss()) == .sendAgain)
        guard case .answer(let failure) = exchange.handle(event) else {
            Issue.record("no answer")
            return
        }
        #expect(failure.mayHaveBeenProcessed == true)
    }

    private static let events: [Exchange.Event] =
        [
            .connected, .requestEnded, .answerHead(reusable: true),
            .answerEnded(hasSurplus: false),
            loss(), loss(clean: true, endsAnswer: true, hadBytes: true), .answerInvalid(""),
            .timedOut(.transfer),
            .timedOut(.head), .clientLost, .drainEnded, .requestInvalid(Failure(.badRequest, "")),
            .notConnected(Failure(.overloaded, "")), .refused, .renewed, .notRenewed,
        ]

    /// Every sequence of five events, over both kinds of request: one end, at most one, and nothing behind it.
    @Test func `no order of events does two things at once`() {
        for isRepeatable in [true, false] {
            walk(
                Exchange(isRepeatable: isRepeatable, hasContent: true, clientPersists: true), depth: 5,
                isRepeatable: isRepeatable)
        }
    }

    private func walk(_ exchange: Exchange, depth: Int, isRepeatable: Bool) {
        guard depth > 0 else { return }
        for event in Self.events {
            var next = exchange
            let action = next.handle(event)
            let isGood =
                switch action {
                case .nothing: true
                case .send: exchange.stage == .waiting && next.stage == .sent
                case .sendAgain: isRepeatable && exchange.stage == .sent && next.stage == .waiting
                case .renew: exchange.stage == .sent && next.stage == .judging
                case .sendRenewed: exchange.stage == .judging && next.stage == .waiting
                case .relay: exchange.stage == .judging && next.stage == .sent
                case .answer: [.waiting, .sent, .judging].contains(exchange.stage) && next.stage == .finished
                case .finish: exchange.stage == .answering && next.stage == .finished
                case .cut: exchange.stage != .finished && next.stage == .finished
                }
            guard isGood, exchange.stage != .finished || action == .nothing,
                next.attempts <= 1 + Exchange.lossesMax + Exchange.refusalsMax
            else {
                Issue.record("\(exchange) does \(action) about \(event)")
                return
            }
            walk(next, depth: depth - 1, isRepeatable: isRepeatable)
        }
    }
}
