/// One request and its outcome: what to do about each thing that can happen to it.
///
/// Decides only; the server's driver performs. Every stage answers every event, because timers, sockets and clients
/// cross each other: what comes too late is `.nothing`.
package struct Exchange: Sendable {
    package enum Stage: Sendable, Equatable {
        /// No connection to the provider: none yet, or none since the last one was lost or its answer was a refusal.
        /// Left by `.connected` or by failing.
        case waiting
        /// The request is on its way and no final head has come. Left by the head, by a replay or by failing.
        case sent
        /// The answer says that the credential was refused (RFC 9110 §15.5.2), and is held back until it is known
        /// whether a better one can be had. Left by `.renewed` and `.notRenewed`, and by time.
        case judging
        /// A final head has been relayed; from here a failure can only be shown by cutting the answer short.
        case answering
        /// Nothing may happen any more.
        case finished
    }

    package enum Event: Sendable, Equatable {
        /// A connection is ours.
        case connected
        /// No connection can be had. Says why.
        case notConnected(Failure)
        /// The client's content has been read to its end.
        case requestEnded
        /// A final head came. `reusable` as the provider means it.
        case answerHead(reusable: Bool)
        /// The final head that came refuses the credential.
        case refused
        /// There is a better credential than the one that was refused.
        case renewed
        /// There is none.
        case notRenewed
        /// The answer has been relayed to its end; `hasSurplus` if bytes came behind it that
        /// answer nobody.
        case answerEnded(hasSurplus: Bool)
        /// The connection ended by itself.
        case upstreamLost(Loss)
        /// What came is no valid answer.
        case answerInvalid(String)
        /// A bound on time has passed.
        case timedOut(Wait)
        /// The client cannot be written to any more, or broke off in the middle of its content.
        case clientLost
        /// The proxy is shutting down and has no more time.
        case drainEnded
        /// The client's content breaks the coding or a bound, or the call is refused.
        case requestInvalid(Failure)
    }

    /// How a connection ended.
    package struct Loss: Sendable, Equatable {
        /// In words, for the answer.
        package var how: String
        /// The end was announced (TLS close_notify, or FIN without TLS), and can end an answer without length.
        package var isClean: Bool
        /// The answer's content has no other end than the connection's.
        package var endsAnswer: Bool
        /// Some bytes of an answer had come.
        package var hadBytes: Bool
        package init(how: String, isClean: Bool, endsAnswer: Bool, hadBytes: Bool) {
            self.how = how
            self.isClean = isClean
            self.endsAnswer = endsAnswer
            self.hadBytes = hadBytes
        }
    }

    /// What was waited for when time was up.
    package enum Wait: Sendable, Equatable { case credential, connection, pool, head, transfer, whole }

    package enum Action: Sendable, Equatable {
        case nothing
        /// Send the request, from its beginning.
        case send
        /// Send it once more, over another connection.
        case sendAgain
        /// Hold the answer back, and have the credential renewed.
        case renew
        /// Let go of the request's connection and send it once more, with the credential that there is now.
        case sendRenewed
        /// Relay the answer that was held back.
        case relay
        /// Answer the client with this.
        case answer(Failure)
        /// The exchange is over; each side's connection is kept or closed.
        case finish(keepUpstream: Bool, keepClient: Bool)
        /// Close both: the client sees an answer without its end.
        case cut
    }

    package private(set) var stage = Stage.waiting
    /// Connections that the request was sent over.
    package private(set) var attempts = 0
    /// RFC 9110 §9.2.2, or the client gave a key that makes it so.
    private let isRepeatable: Bool
    package private(set) var requestHasEnded: Bool
    private var answerIsReusable = false
    package private(set) var clientPersists: Bool
    /// All that was sent so far is still held, so that it could be sent again.
    package var isHeld = true

    private var losses = 0
    private var refusals = 0
    /// The answer that is being read has been held back once.
    private var isJudged = false

    /// Repetitions after a connection that died before an answer.
    package static let lossesMax = 1
    /// Repetitions with a better credential.
    package static let refusalsMax = 1

    package init(isRepeatable: Bool, hasContent: Bool, clientPersists: Bool) {
        self.isRepeatable = isRepeatable
        self.requestHasEnded = !hasContent
        self.clientPersists = clientPersists
    }

    /// The client's connection ends with this exchange (drain).
    package mutating func closeClientAfterwards() { clientPersists = false }

    package mutating func handle(_ event: Event) -> Action {
        switch (stage, event) {
        case (.finished, _): return .nothing

        case (.waiting, .connected):
            stage = .sent
            attempts += 1
            return .send
        case (.waiting, .notConnected(let failure)): return fail(failure)
        case (.waiting, .timedOut(.pool)):
            return fail(
                Failure(.overloaded, "No connection to the provider became free in time.", retryAfter: 1))
        case (.waiting, .timedOut(.credential)):
            return fail(
                Failure(
                    .credentialUnavailable, "The provider's credential is still being obtained.",
                    retryAfter: 1))
        case (.waiting, .timedOut):
            return fail(
                Failure(
                    .upstreamTimeout, "No connection to the provider in time."))
        case (.waiting, .answerHead), (.waiting, .answerEnded), (.waiting, .upstreamLost),
            (.waiting, .answerInvalid), (.waiting, .refused), (.waiting, .renewed), (.waiting, .notRenewed):
            return .nothing

        case (.sent, .answerHead(let reusable)):
            stage = .answering
            answerIsReusable = reusable
            return .nothing
        case (.sent, .upstreamLost(let loss)):
            // Nothing of an answer, and a repetition that does no harm: RFC 9110 §9.2.2.
            if !loss.hadBytes, isRepeatable, isHeld, losses < Self.lossesMax {
                losses += 1
                stage = .waiting
                return .sendAgain
            }
            return fail(Failure(.upstreamBroke, loss.how))
        case (.sent, .refused):
            // A refused request was not applied, whatever its method: it may be sent again.
            guard isHeld, !isJudged, refusals < Self.refusalsMax else { return .nothing }
            refusals += 1
            stage = .judging
            return .renew
        case (.sent, .answerInvalid(let how)):
            return fail(Failure(.upstreamBroke, how))
        case (.sent, .timedOut(.transfer)):
            return fail(
                Failure(
                    .upstreamTimeout, "The provider stopped taking the request."))
        case (.sent, .timedOut):
            return fail(
                Failure(.upstreamTimeout, "The provider sent no answer in time."))
        case (.waiting, .drainEnded), (.sent, .drainEnded), (.judging, .drainEnded):
            clientPersists = false
            return fail(
                Failure(
                    .draining, "The proxy is shutting down and could not wait for the provider any longer."))
        case (.sent, .connected), (.sent, .notConnected), (.sent, .answerEnded), (.sent, .renewed),
            (.sent, .notRenewed):
            return .nothing

        case (.judging, .renewed):
            stage = .waiting
            return .sendRenewed
        case (.judging, .notRenewed), (.judging, .timedOut):
            isJudged = true
            stage = .sent
            return .relay
        case (.judging, .connected), (.judging, .notConnected), (.judging, .answerHead), (.judging, .refused),
            (.judging, .answerEnded), (.judging, .upstreamLost), (.judging, .answerInvalid):
            return .nothing

        case (.answering, .answerEnded(let hasSurplus)): return end(isUpstreamOver: hasSurplus)
        case (.answering, .upstreamLost(let loss)):
            if loss.endsAnswer, loss.isClean { return end(isUpstreamOver: true) }
            stage = .finished
            return .cut
        case (.answering, .answerInvalid), (.answering, .timedOut), (.answering, .drainEnded):
            stage = .finished
            return .cut
        case (.answering, .connected), (.answering, .notConnected), (.answering, .answerHead),
            (.answering, .refused), (.answering, .renewed), (.answering, .notRenewed):
            return .nothing

        case (_, .requestEnded):
            requestHasEnded = true
            return .nothing
        case (_, .clientLost):
            stage = .finished
            return .cut
        case (.answering, .requestInvalid):
            stage = .finished
            return .cut
        case (.waiting, .requestInvalid(let failure)), (.sent, .requestInvalid(let failure)),
            (.judging, .requestInvalid(let failure)):
            return fail(failure)
        }
    }

    /// Says whether the provider may have acted, unless the call never got that far.
    private mutating func fail(_ failure: Failure) -> Action {
        stage = .finished
        var failure = failure
        if attempts > (isJudged ? 0 : refusals) {
            failure.mayHaveBeenProcessed = true
        } else if failure.kind.row.side != .client {
            failure.mayHaveBeenProcessed = false
        }
        return .answer(failure)
    }

    /// An answer that came before the request's end leaves both connections in the middle of something.
    private mutating func end(isUpstreamOver: Bool) -> Action {
        stage = .finished
        return .finish(
            keepUpstream: answerIsReusable && requestHasEnded && !isUpstreamOver,
            keepClient: clientPersists && requestHasEnded)
    }
}

extension Exchange {
    /// Whether the method may be repeated without harm (RFC 9110 §9.2.2).
    package static func isIdempotent(_ method: Span<UInt8>) -> Bool {
        method.equals("GET") || method.equals("HEAD") || method.equals("PUT") || method.equals("DELETE")
            || method.equals("OPTIONS")
    }
}
