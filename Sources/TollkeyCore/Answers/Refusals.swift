/// Whether an answer to a forwarded call means that the credential was refused.
package enum Refusals {
    /// Whether the content decides, so that somebody has to hold it.
    package static func needsContent(status: Int, rules: [RefusalRule]) -> Bool {
        status != 401 && !rules.contains { $0.status == status && $0.expect.isEmpty }
            && rules.contains { $0.status == status && $0.readsContent }
    }

    /// 401 always does (RFC 9110 §15.5.2). Content that is not known meets no expectation.
    package static func means(
        refused status: Int, fields: [AnswerField] = [], content: [UInt8]?, rules: [RefusalRule]
    ) -> Bool {
        if status == 401 { return true }
        let concerned = rules.filter { $0.status == status }
        if concerned.isEmpty { return false }
        if concerned.contains(where: { $0.expect.isEmpty }) { return true }
        let answer = TokenAnswer(status: status, fields: fields, content: Secret(content ?? []))
        let reading = AnswerReading(answer)
        return concerned.contains { $0.expect.contains(where: reading.meets) }
    }
}

extension RefusalRule {
    fileprivate var readsContent: Bool {
        expect.contains { expectation in
            switch expectation.place {
            case .json, .content: true
            case .header: false
            }
        }
    }
}

/// What a probe's answer says of a credential.
package enum ProbeVerdict: Sendable, Equatable {
    case works
    case refused
    /// Neither: the provider's trouble, a limit, or an answer that is not about the credential.
    case unknown

    package init(_ answer: TokenAnswer, _ probe: ProbeSettings, rules: [RefusalRule]) {
        let reading = AnswerReading(answer)
        let isRefused = answer.content.reveal { content in
            Refusals.means(refused: answer.status, fields: answer.fields, content: content, rules: rules)
        }
        switch answer.status {
        case _ where isRefused: self = .refused
        case 200...299 where probe.expect.allSatisfy(reading.meets): self = .works
        case 200...299: self = reading.isNonsense(for: probe.expect) ? .unknown : .refused
        // Known, and not allowed to do just this (RFC 9110 §15.5.4).
        case 403: self = .works
        default: self = .unknown
        }
    }
}

extension AnswerReading {
    /// A web page in the way, say: JSON was expected, and none came.
    fileprivate func isNonsense(for expectations: [Expectation]) -> Bool {
        guard case .failure = json else { return false }
        return expectations.contains { expectation in
            if case .json = expectation.place { true } else { false }
        }
    }
}
