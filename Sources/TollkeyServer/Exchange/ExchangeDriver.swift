import TollkeyCore

/// Performs one exchange: takes the client's request to the provider and the answer back.
///
/// Reads downwards in the order of events. What to do when something happens is decided by `Exchange`; here it is
/// done. Lent by the event loop for one request at a time, since an idle client needs none.
final class ExchangeDriver {
    let loop: EventLoop
    var client: ClientConnection?
    var service: Service?
    var upstream: Upstream?
    var connection: UpstreamConnection?

    /// What came from the client and is not over: the head, which a repetition is written from, content that came
    /// with it, and behind the content the next request.
    let input = Buffer(capacity: 4 << 10)
    var head = RequestHead()
    var request = RequestTraits()
    var prefixLength = 0
    var content = BodyDecoder(.length(0))
    var contentBytes = 0
    /// How much of `input` belongs to this exchange.
    var consumed = 0
    var exchange = Exchange(isRepeatable: false, hasContent: false, clientPersists: false)

    /// The request as it goes out; from its beginning for as long as it may have to be sent again.
    let outgoing = Buffer(capacity: 4 << 10)
    /// The head's part of it; 0 while there is none.
    var headLength = 0
    /// Of the credential in that head.
    var generation = 0
    /// The decoded content, where the head is made from it and it is held whole.
    var gathered: Buffer?
    /// More of it is to come.
    var isGathering = false
    var awaitsCredential = false
    /// What the call has to do with one-time passwords, the token that it goes with, and its answer where that is read.
    var verification: VerificationDesk.Role?
    var verificationToken: Secret?
    var tapped: [UInt8]?
    /// Headers for this call alone.
    var added: [RenderedHeader] = []
    /// An answer that refuses the credential, until it is clear what becomes of it.
    var held: HeldAnswer?
    /// It means that the credential was refused, and a better one is looked for.
    var seeksRemedy = false
    /// How much of `outgoing` the present connection has been given.
    var sent = 0

    var answer = ResponseHead()
    /// The beginning of a head that came in parts.
    var answerBytes: Buffer?
    var interimAnswers = 0
    var answerContent = BodyDecoder(.length(0))
    var isAnswerChunked = false
    /// The client learns of the answer's end from its connection's.
    var needsConnectionsEnd = false
    var hadAnswerBytes = false
    var wholeDeadline = MonotonicTime.never
    /// Of the call's category.
    var gate: QuotaGate?
    /// The gate has let the call pass, and it is not sent yet.
    var hasPermit = false
    /// The call's number in the gate's line, and what it stands there for.
    var ticket: UInt64?
    var permitUse = PermitUse.start
    /// It was sent, and the gate does not know of an answer.
    var isCounted = false
    /// All connections that there may be are busy.
    private var isQueued = false

    var notes = CallNotes()
    /// For the provider's own number of the request.
    let search = RequestIDSearch()

    init(loop: EventLoop) { self.loop = loop }

    /// What its buffers have grown to.
    var bytesHeld: Int { input.capacity + outgoing.capacity }

    // MARK: The client's head

    enum HeadProgress { case incomplete, begun }

    /// Goes on reading the head in `input`. Once it is complete or wrong, the exchange runs by itself and ends with
    /// `exchangeEnded` of the client.
    func readHead(for client: ClientConnection) -> HeadProgress {
        let limits = client.worker.table.settings.limits
        do throws(HeadError) {
            let isComplete = try input.read { bytes throws(HeadError) in
                try head.read(bytes, limits: limits)
            }
            guard isComplete else { return .incomplete }
        } catch {
            refuseHead(Failure(error), for: client)
            return .begun
        }
        begin(for: client)
        return .begun
    }

    private func begin(for client: ClientConnection) {
        self.client = client
        beginNotes(for: client, hasHead: true)
        let worker = client.worker
        let table = worker.table
        let (request, verdict) = input.read { bytes in
            (RequestTraits(head, bytes), table.admission.decide(head, bytes, peer: client.peer))
        }
        self.request = request
        let hasContent = request.framing != .length(0)
        exchange = Exchange(
            isRepeatable: request.isRepeatable, hasContent: hasContent,
            clientPersists: request.isPersistent && !worker.isDraining)
        content = BodyDecoder(request.framing)
        contentBytes = 0
        consumed = request.headEnd
        prefixLength = 0
        switch verdict {
        case .refused(let failure, let route):
            service = route.map { table.services[$0] }
            prefixLength = service?.provider.route.utf8.count ?? 0
            if let route { notes.tally = worker.tallies[route] }
            refuse(failure)
        case .admitted(let match):
            let service = table.services[match.route]
            self.service = service
            guard !request.hasVia || !input.read({ service.requestRewriter.isLoop(head, $0) }) else {
                return refuse(Failure(.loop, "This very proxy stands in the request's Via already."))
            }
            let upstream = worker.upstream(match.route)
            self.upstream = upstream
            notes.tally = upstream.tally
            prefixLength = match.prefixLength
            wholeDeadline = service.wholeTimeout.map { loop.now + $0 } ?? .never
            gate = findGate()
            verification = verificationRole()
            // No permit lies idle while content trickles in that is held anyway; `goOn` asks for one.
            if gathers && !request.expectsContinue || passGate(for: .start) { proceed() }
        }
    }

    /// The call may be made.
    func proceed() {
        guard let upstream else { return }
        let hasContent = request.framing != .length(0)
        if gathers {
            gathered = loop.takeBuffer()
            isGathering = hasContent
            if hasContent { invite() }
        } else if verification == nil, upstream.credentials.isUsable {
            guard writeHead(into: outgoing) else { return }
        }
        if hasContent {
            consumed = input.read { takeContent($0, from: request.headEnd) }
            guard exchange.stage == .waiting else { return }
            if content.isEnded { isGathering = false }
        }
        if !isGathering { goOn() }
    }

    /// The content is held until its end before there is a head.
    private var gathers: Bool { service?.needsContent == true || verification?.needsContent == true }

    /// A head that cannot be read, or does not end: nothing that follows on this connection can be read either.
    func refuseHead(_ failure: Failure, for client: ClientConnection) {
        self.client = client
        beginNotes(for: client, hasHead: false)
        exchange = Exchange(isRepeatable: false, hasContent: true, clientPersists: false)
        perform(exchange.handle(.requestInvalid(failure)))
    }

    /// A call that goes nowhere. When all of its content came with the head, the connection can go on.
    func refuse(_ failure: Failure) {
        input.read { bytes in
            while let piece = try? content.next(bytes, at: &consumed), piece != .more {
                guard piece == .end else { continue }
                _ = exchange.handle(.requestEnded)
                break
            }
        }
        perform(exchange.handle(.requestInvalid(failure)))
    }

    /// The client's connection is gone; maybe before there was an exchange.
    func clientLost() {
        _ = exchange.handle(.clientLost)
        cut()
    }

    /// The proxy cannot wait for it any longer.
    func endDraining() { perform(exchange.handle(.drainEnded)) }

    /// The client took too long over its content, or over taking the answer; or nothing could be had in time.
    func clientTimedOut() {
        switch exchange.stage {
        case .waiting where standsInLine:
            leaveLine()
            if let gate { permitRefused(gate.refusal(at: loop.now)) }
        case .waiting where isGathering: perform(exchange.handle(.requestInvalid(Self.contentLate)))
        case .waiting:
            let wait: Exchange.Wait = awaitsCredential ? .credential : isQueued ? .pool : .connection
            perform(exchange.handle(.timedOut(wait)))
        case .judging: perform(exchange.handle(.timedOut(.credential)))
        case .sent:
            if loop.now >= wholeDeadline {
                perform(exchange.handle(.timedOut(.whole)))
            } else {
                perform(exchange.handle(.requestInvalid(Self.contentLate)))
            }
        case .answering, .finished: perform(exchange.handle(.clientLost))
        }
    }

    private static let contentLate = Failure(.requestTimeout, "The request's content stopped arriving.")

    // MARK: The connection to the provider

    /// A request that cannot be sent twice: its connection is worth a system call before it is used.
    var mustNotBeLost: Bool { !request.isRepeatable }

    func waitForConnection(_ upstream: Upstream, isFresh: Bool) {
        isQueued = !upstream.canConnect
        let span = isQueued ? upstream.service.poolTimeout : upstream.service.openTimeout
        client?.waitForConnection(until: min(loop.now + span, wholeDeadline))
        upstream.acquire(for: self, isFresh: isFresh)
    }

    /// None can be opened for it after all: as from the beginning, it waits for one that is busy.
    func waitsForPool(_ upstream: Upstream) {
        guard !isQueued else { return }
        isQueued = true
        client?.waitForConnection(until: min(loop.now + upstream.service.poolTimeout, wholeDeadline))
    }

    func begin(on connection: UpstreamConnection) {
        // The wait for it may have outlived the credential.
        guard let upstream, upstream.credentials.isUsable else {
            connection.release()
            return goOn()
        }
        self.connection = connection
        guard generation == upstream.credentials.snapshot.generation || placeHead() else { return }
        while !spendPermit() {
            // Another permit, for this connection: to ask for one anew from here would come back here.
            self.connection = nil
            guard passGate(for: .send) else { return connection.release() }
            self.connection = connection
        }
        perform(exchange.handle(.connected))
    }

    func connectionFailed(_ failure: Failure) { perform(exchange.handle(.notConnected(failure))) }

    func send() {
        sent = 0
        noteSent()
        // RFC 9110 §10.1.1: admitted, and somebody there to take it.
        if exchange.attempts == 1 { invite() }
        sendOutgoing()
        client?.exchangeGoesOn()
    }

    func invite() {
        guard request.expectsContinue, contentBytes == 0, !content.isEnded else { return }
        loop.out.clear()
        loop.out.append("HTTP/1.1 100 Continue\r\n\r\n")
        client?.write(loop.out.readable)
    }

    func sendOutgoing() {
        guard let connection, exchange.stage == .sent || exchange.stage == .answering, sent < outgoing.count
        else { return waitForAnswer() }
        connection.write(UnsafeRawBufferPointer(rebasing: outgoing.readable[sent...]))
        sent = outgoing.count
        let mayBeNeeded = request.isRepeatable || service?.canRenew == true
        if !mayBeNeeded || outgoing.count > replayBytes + Self.headBytesHeld {
            exchange.isHeld = false
        }
        if !exchange.isHeld {
            outgoing.clear()
            sent = 0
        }
        waitForAnswer()
    }

    /// A head is held on top of the content that may be.
    private static let headBytesHeld = 4 << 10

    func waitForAnswer() {
        guard let connection, let service else { return }
        let deadline: MonotonicTime
        switch exchange.stage {
        case .waiting, .finished: return
        case .judging: deadline = held?.isComplete == false ? loop.now + service.transferTimeout : .never
        case .sent where connection.isBlocked: deadline = loop.now + service.transferTimeout
        case .sent: deadline = content.isEnded ? loop.now + service.headTimeout : .never
        case .answering: deadline = takesAnswer ? loop.now + service.transferTimeout : .never
        }
        connection.setDeadline(min(deadline, wholeDeadline))
    }

    /// The connection has taken all that it was given.
    func connectionDrained() {
        waitForAnswer()
        client?.exchangeGoesOn()
    }

    func connectionEnded(isClean: Bool, _ how: String) {
        if exchange.stage == .judging { return heldAnswerEnded(isClean: isClean, how) }
        let loss = Exchange.Loss(
            how: how, isClean: isClean, endsAnswer: answerContent.endsWithConnection, hadBytes: hadAnswerBytes
        )
        // Nobody is left to whom a second attempt would matter, as far as one can tell.
        if client?.hasFinishedSending == true { exchange.isHeld = false }
        let action = exchange.handle(.upstreamLost(loss))
        if case .finish = action { endAnswer() }
        perform(action, because: Failure(.upstreamBroke, how))
    }

    func connectionTimedOut() {
        let wait: Exchange.Wait =
            loop.now >= wholeDeadline ? .whole : connection?.isBlocked == true ? .transfer : .head
        perform(
            exchange.handle(.timedOut(wait)),
            because: Failure(.upstreamTimeout, "The provider stopped in the middle of its answer."))
    }
}
