import Testing
import TollkeyCore

extension Exchange.Action {
    /// As a table has it.
    var words: String {
        switch self {
        case .nothing: "nothing"
        case .send: "send"
        case .sendAgain: "send again"
        case .renew: "renew"
        case .sendRenewed: "send renewed"
        case .relay: "relay"
        case .cut: "cut"
        case .finish(let upstream, let client):
            "finish, \(upstream ? "keep" : "close") and \(client ? "keep" : "close")"
        case .answer(let failure):
            failure.kind.rawValue
                + (failure.mayHaveBeenProcessed.map { $0 ? ", perhaps processed" : ", not processed" } ?? "")
        }
    }
}

extension Exchange.Stage {
    static let all: [Exchange.Stage] = [.waiting, .sent, .answering, .finished]
}

func loss(clean: Bool = false, endsAnswer: Bool = false, hadBytes: Bool = false) -> Exchange.Event {
    .upstreamLost(.init(how: "It broke.", isClean: clean, endsAnswer: endsAnswer, hadBytes: hadBytes))
}

struct ExchangeTests {
    /// A call without content whose client stays, brought to a stage.
    private func exchange(
        _ stage: Exchange.Stage, hasContent: Bool = false, reusable: Bool = true
    ) -> Exchange {
        var exchange = Exchange(isRepeatable: false, hasContent: hasContent, clientPersists: true)
        if stage != .waiting { _ = exchange.handle(.connected) }
        if stage == .answering { _ = exchange.handle(.answerHead(reusable: reusable)) }
        if stage == .finished { _ = exchange.handle(.clientLost) }
        #expect(exchange.stage == stage)
        return exchange
    }

    private static let unreachable = Failure(.upstreamUnreachable, "No.")
    private static let tooLarge = Failure(.bodyTooLarge, "Big.")

    /// What is done about each event while waiting, sent and answering.
    static let table: [(Exchange.Event, [String])] = [
        (.connected, ["send", "nothing", "nothing"]),
        (.notConnected(unreachable), ["upstream-unreachable, not processed", "nothing", "nothing"]),
        (.requestEnded, ["nothing", "nothing", "nothing"]),
        (.answerHead(reusable: true), ["nothing", "nothing", "nothing"]),
        (.answerHead(reusable: false), ["nothing", "nothing", "nothing"]),
        (.answerEnded(hasSurplus: false), ["nothing", "nothing", "finish, keep and keep"]),
        (.answerEnded(hasSurplus: true), ["nothing", "nothing", "finish, close and keep"]),
        (loss(), ["nothing", "upstream-broke, perhaps processed", "cut"]),
        (loss(clean: true), ["nothing", "upstream-broke, perhaps processed", "cut"]),
        (loss(endsAnswer: true, hadBytes: true), ["nothing", "upstream-broke, perhaps processed", "cut"]),
        (loss(hadBytes: true), ["nothing", "upstream-broke, perhaps processed", "cut"]),
        (.answerInvalid("Nonsense."), ["nothing", "upstream-broke, perhaps processed", "cut"]),
        (
            .timedOut(.connection),
            ["upstream-timeout, not processed", "upstream-timeout, perhaps processed", "cut"]
        ),
        (
            .timedOut(.head),
            ["upstream-timeout, not processed", "upstream-timeout, perhaps processed", "cut"]
        ),
        (
            .timedOut(.transfer),
            ["upstream-timeout, not processed", "upstream-timeout, perhaps processed", "cut"]
        ),
        (
            .timedOut(.whole),
            ["upstream-timeout, not processed", "upstream-timeout, perhaps processed", "cut"]
        ),
        (.clientLost, ["cut", "cut", "cut"]),
        (.drainEnded, ["draining, not processed", "draining, perhaps processed", "cut"]),
        (.requestInvalid(tooLarge), ["body-too-large", "body-too-large, perhaps processed", "cut"]),
    ]

    @Test(arguments: table)
    func `every stage answers every event`(_ event: Exchange.Event, _ expected: [String]) {
        for (stage, words) in zip(Exchange.Stage.all, expected + ["nothing"]) {
            var exchange = exchange(stage)
            #expect(exchange.handle(event).words == words, "\(stage)")
            let next: Exchange.Stage =
                switch (stage, event) {
                case (.waiting, .connected): .sent
                case (.sent, .answerHead): .answering
                default: words == "nothing" ? stage : .finished
                }
            #expect(exchange.stage == next, "\(stage)")
        }
    }

    @Test func `an answer that only the connection's end could end is whole when that end was announced`() {
        for isClean in [true, false] {
            var exchange = exchange(.answering, reusable: false)
            let action = exchange.handle(loss(clean: isClean, endsAnswer: true, hadBytes: true))
            #expect(action.words == (isClean ? "finish, close and keep" : "cut"))
        }
    }

    @Test func `a connection that has ended is never kept`() {
        // As a provider says it that speaks HTTP/1.1 and sends neither a length nor `Connection: close`.
        var exchange = exchange(.answering, reusable: true)
        let action = exchange.handle(loss(clean: true, endsAnswer: true, hadBytes: true))
        #expect(action == .finish(keepUpstream: false, keepClient: true))
    }

    @Test func `connections are kept when both sides are at the end of a message and mean to go on`() {
        for flags in 0..<16 {
            let (reusable, ended, surplus, persists) = (
                flags & 1 == 0, flags & 2 == 0, flags & 4 == 0, flags & 8 == 0
            )
            var exchange = Exchange(isRepeatable: false, hasContent: true, clientPersists: persists)
            _ = exchange.handle(.connected)
            if ended { _ = exchange.handle(.requestEnded) }
            _ = exchange.handle(.answerHead(reusable: reusable))
            #expect(
                exchange.handle(.answerEnded(hasSurplus: surplus))
                    == .finish(keepUpstream: reusable && ended && !surplus, keepClient: persists && ended))
        }
    }

    @Test func `the request may end in any stage before the answer does`() {
        for stage in [Exchange.Stage.waiting, .sent, .answering] {
            var exchange = exchange(.waiting, hasContent: true)
            #expect(!exchange.requestHasEnded)
            for event in [Exchange.Event.connected, .answerHead(reusable: true)] {
                if exchange.stage == stage { _ = exchange.handle(.requestEnded) }
                _ = exchange.handle(event)
            }
            if exchange.stage == stage { _ = exchange.handle(.requestEnded) }
            #expect(exchange.requestHasEnded)
            #expect(
                exchange.handle(.answerEnded(hasSurplus: false))
                    == .finish(keepUpstream: true, keepClient: true))
        }
    }

    @Test func `a client that is to be closed afterwards is closed`() {
        var exchange = exchange(.sent)
        exchange.closeClientAfterwards()
        #expect(!exchange.clientPersists)
        _ = exchange.handle(.answerHead(reusable: true))
        #expect(
            exchange.handle(.answerEnded(hasSurplus: false)) == .finish(keepUpstream: true, keepClient: false)
        )
    }

    @Test func `a failure keeps its words`() {
        var waiting = exchange(.waiting)
        var unreachable = Self.unreachable
        unreachable.mayHaveBeenProcessed = false
        #expect(waiting.handle(.notConnected(Self.unreachable)) == .answer(unreachable))
        var sent = exchange(.sent)
        guard case .answer(let failure) = sent.handle(loss()) else {
            Issue.record("no answer")
            return
        }
        #expect(failure.detail == "It broke.")
    }

    @Test(arguments: [
        ("GET", true), ("HEAD", true), ("PUT", true), ("DELETE", true), ("OPTIONS", true), ("POST", false),
        ("PATCH", false), ("get", false), ("GETS", false), ("", false), ("TRACE", false), ("X", false),
    ])
    func `the idempotent methods are those of RFC 9110 section 9 that are forwarded`(
        _ method: String, _ isIdempotent: Bool
    ) {
        let method = bytes(method)
        let answer = Exchange.isIdempotent(method.span)
        #expect(answer == isIdempotent)
    }
}
