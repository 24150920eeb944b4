import TollkeyCore

/// An answer that is held back, because it says that the credential was refused.
struct HeldAnswer {
    /// From the final head's first byte on.
    let bytes: Buffer
    private var decoder: BodyDecoder
    private var position: Int
    private let persists: Bool
    /// The content, as far as it has come.
    private(set) var content: [UInt8] = []
    /// All of it is there.
    private(set) var isComplete = false
    private var isBroken = false
    /// How the connection ended meanwhile.
    private(set) var end: (isClean: Bool, how: String)?

    /// More is left in the connection.
    static let bytesMax = 64 << 10

    init(_ bytes: Buffer, headEnd: Int, _ traits: (framing: BodyFraming, isReusable: Bool)) {
        self.bytes = bytes
        position = headEnd
        decoder = BodyDecoder(traits.framing)
        persists = traits.isReusable
        read()
    }

    var isFull: Bool { bytes.count >= Self.bytesMax }

    /// Its connection can carry the next request.
    var isReusable: Bool { isComplete && !isBroken && persists && end == nil && position == bytes.count }

    mutating func append(_ more: Span<UInt8>) {
        bytes.append(more)
        read()
    }

    mutating func ended(isClean: Bool, _ how: String) {
        end = (isClean, how)
        if decoder.endsWithConnection, isClean { isComplete = true }
    }

    private mutating func read() {
        var (decoder, position, content) = (decoder, position, content)
        (isComplete, isBroken) = bytes.read { bytes in
            do throws(HeadError) {
                while true {
                    switch try decoder.next(bytes, at: &position) {
                    case .content(let range):
                        bytes.extracting(range).withUnsafeBytes { content += $0 }
                    case .more: return (false, false)
                    case .end: return (true, false)
                    }
                }
            } catch { return (true, true) }
        }
        (self.decoder, self.position, self.content) = (decoder, position, content)
    }
}

extension ExchangeDriver {
    /// The client's deadline is that of the wait for a credential.
    var waitsForCredential: Bool { awaitsCredential || seeksRemedy }
}

/// What becomes of an answer that refuses the credential (RFC 9110 §15.5.2).
extension ExchangeDriver {
    /// Whether the head of the answer says that the credential was refused, or that its content may say so.
    var isRefusal: Bool {
        guard let service, service.canRenew else { return false }
        let rules = service.provider.refusals
        guard answer.status == 401 || rules.contains(where: { $0.status == answer.status }) else {
            return false
        }
        // Whether or not this request can be sent again, the next ones want a better credential.
        if !exchange.isHeld, !Refusals.needsContent(status: answer.status, rules: rules) {
            _ = upstream?.credentials.remedy(for: generation)
        }
        return true
    }

    func beginHolding(_ bytes: Span<UInt8>) {
        let buffer = loop.takeBuffer()
        buffer.append(bytes)
        held = HeldAnswer(buffer, headEnd: answer.end, answer.traits(toHead: request.isHEAD))
        judgeHeldAnswer()
    }

    func holdBack(_ bytes: Span<UInt8>) {
        held?.append(bytes)
        judgeHeldAnswer()
    }

    func heldAnswerEnded(isClean: Bool, _ how: String) {
        held?.ended(isClean: isClean, how)
        judgeHeldAnswer()
    }

    /// Goes on once it is clear what the answer means; some say it in their content only.
    func judgeHeldAnswer() {
        guard exchange.stage == .judging, let held, let service else { return }
        waitForAnswer()
        guard !seeksRemedy else { return }
        let rules = service.provider.refusals
        if Refusals.needsContent(status: answer.status, rules: rules) {
            guard held.isComplete || held.isFull || held.end != nil else { return }
        }
        let fields = held.bytes.read { answer.answerFields($0) }
        guard Refusals.means(refused: answer.status, fields: fields, content: held.content, rules: rules)
        else { return perform(exchange.handle(.notRenewed)) }
        seeksRemedy = true
        client?.waitForConnection(until: min(loop.now + service.credentialTimeout, wholeDeadline))
        seekRemedy()
    }

    /// Looks for a better credential; called again whenever one may have come.
    func seekRemedy() {
        guard seeksRemedy, let credentials = upstream?.credentials else { return }
        switch credentials.remedy(for: generation) {
        case .better: if passGate(for: .renewed) { perform(exchange.handle(.renewed)) }
        case .none: perform(exchange.handle(.notRenewed))
        case .perhaps: if !credentials.wait(self) { perform(exchange.handle(.notRenewed)) }
        }
    }

    /// The provider's own answer after all, as if it had come just now.
    func relayHeldAnswer() {
        guard let held else { return }
        self.held = nil
        seeksRemedy = false
        leaveLine()
        upstream?.credentials.cancel(self)
        answer.reset()
        // What came of the request meanwhile was held back too; its connection is not clean without it.
        if held.end == nil { sendOutgoing() }
        client?.exchangeGoesOn()
        held.bytes.read { receiveAnswer($0) }
        loop.giveBack(held.bytes)
        if let end = held.end {
            if exchange.stage == .answering { connectionEnded(isClean: end.isClean, end.how) }
        } else {
            connection?.resumeReading()
        }
    }
}

extension ResponseHead {
    /// The fields as text, names in lower case.
    borrowing func answerFields(_ bytes: Span<UInt8>) -> [AnswerField] {
        fields.lines.map { line in
            AnswerField(
                bytes.extracting(line.name).text.lowercased(),
                bytes.extracting(line.valueStart..<line.valueEnd).text)
        }
    }
}

extension Span<UInt8> {
    fileprivate var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}
