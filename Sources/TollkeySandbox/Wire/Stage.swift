import NIOHTTP1

/// All that one listener's connections share: who plays, who watches, what goes wrong.
struct Stage: Sendable {
    let play: any Play
    /// What stands in front of the documented paths here.
    let basePath: String
    let record: Record
    let faults: FaultQueue
    let now: @Sendable () -> Int64
    let observe: (@Sendable (Exchange) -> Void)?
    /// False behind a wrong certificate, where no request may ever arrive.
    let isTrusted: Bool

    var provider: Provider { play.provider }

    /// The fault that the call asks for, or else the next one that is armed.
    func fault(for head: HTTPRequestHead) -> Fault? {
        if let asked = head.headers.first(name: Fault.header) { return Fault(asked) }
        return faults.take(for: provider, target: head.uri)
    }

    func isSigned(_ head: HTTPRequestHead) -> Bool { call(head).map(play.isSigned) ?? false }

    /// The provider's answer, with all its effects.
    func perform(_ call: Call?, connection: Int) -> Answer {
        // A misspelled fault must fail the test that asked for it.
        if let asked = call?.header(Fault.header), Fault(asked) == nil {
            return answer(.badRequest("\(Fault.header) is not known: \(asked)"), to: call)
        }
        let answer = play.perform(call, now: now())
        violate(answer.findings, connection: connection)
        record.add(issued: answer.issued, by: provider)
        return answer
    }

    /// The fault's answer to a call that the provider did not really look at; nil when the fault has none.
    func answer(_ fault: Fault, to call: Call?) -> Answer? {
        let now = now()
        let answer = fault.answer(for: provider, to: call, now: now) { play.words(for: $0, now: now) }
        return answer.map { dressed($0, for: call, now: now) }
    }

    func answer(_ refusal: Refusal, to call: Call?) -> Answer {
        let now = now()
        return dressed(play.words(for: refusal, now: now), for: call, now: now)
    }

    func inspect(_ head: HTTPRequestHead, port: Int, connection: Int) {
        let names = ["localhost", "127.0.0.1", "[::1]", provider.host]
        let call = call(head)
        let inspection = Inspection(
            hosts: Set(names.map { "\($0):\(port)" }), places: play.places(for: call))
        let needsCredential = call.map { !play.isOpen($0) } ?? true
        if !isTrusted {
            violate([Finding(.untrustedCertificate, Masking.path(head.uri))], connection: connection)
        }
        violate(
            inspection.findings(in: head, call: call, needsCredential: needsCredential),
            connection: connection)
        if let call { violate(play.findings(in: call, now: now()), connection: connection) }
    }

    func violate(_ findings: [Finding], connection: Int) {
        for finding in findings {
            record.add(
                Violation(
                    provider: provider, connection: connection, kind: finding.kind, detail: finding.detail))
        }
    }

    private func call(_ head: HTTPRequestHead) -> Call? {
        Call(head: head, body: [], bodyBytes: 0, basePath: basePath)
    }

    private func dressed(_ answer: Answer, for call: Call?, now: Int64) -> Answer {
        var answer = answer
        play.dress(&answer, for: call, now: now)
        return answer
    }
}
