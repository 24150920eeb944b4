import NIOHTTP1

/// All that one provider's connections share: who plays, who watches, what goes wrong.
struct Stage: Sendable {
    let play: any Play
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

    func answer(_ call: Call?) -> Answer {
        // A misspelled fault must fail the test that asked for it.
        if let asked = call?.header(Fault.header), Fault(asked) == nil {
            return answer(.badRequest("\(Fault.header) is not known: \(asked)"), to: call)
        }
        return play.perform(call, now: now())
    }

    /// An answer in the provider's words to a call it did not really look at.
    func answer(_ refusal: Refusal, to call: Call?) -> Answer {
        let now = now()
        var answer = play.words(for: refusal, now: now)
        play.dress(&answer, for: call, now: now)
        return answer
    }

    func inspect(_ head: HTTPRequestHead, port: Int, connection: Int) {
        let names = ["localhost", "127.0.0.1", "[::1]", provider.host]
        let inspection = Inspection(
            hosts: Set(names.map { "\($0):\(port)" }), credentialHeaders: play.credentialHeaders)
        let call = Call(head: head, body: [], bodyBytes: 0, basePath: provider.basePath)
        let needsCredential = call.map { !play.isOpen($0) } ?? true
        if !isTrusted { violate(.untrustedCertificate, head.uri, connection: connection) }
        for finding in inspection.findings(in: head, needsCredential: needsCredential) {
            violate(finding.kind, finding.detail, connection: connection)
        }
    }

    func violate(_ kind: Violation.Kind, _ detail: String, connection: Int) {
        let detail = kind == .untrustedCertificate ? Masking.path(detail) : detail
        record.add(Violation(provider: provider, connection: connection, kind: kind, detail: detail))
    }
}
