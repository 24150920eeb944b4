/// What forwarded calls have to do with one-time passwords: the application's own calls for a code and its check, and
/// the calls that need a verification token. Where things stand in them is taken from the calls in the configuration.
package struct OTPCapture: Sendable {
    private let settings: OTPSettings
    private let request: Form?
    private let verify: Form?

    /// One of the provider's two calls, as an application makes it.
    package enum Step: Sendable, Equatable { case request, verify }

    /// What a successful call tells the ledger.
    package enum Update: Sendable, Equatable {
        case requested(operation: String, subject: String?, otpID: Secret)
        case verified(otpID: Secret, token: Secret, expires: Deadline)
    }

    /// A call that can be known by its method and path, and where its inputs stand in its JSON content.
    private struct Form: Sendable {
        let method: [UInt8]
        let path: [UInt8]
        let places: [String: [AnswerPlace.Step]]

        /// nil for a call elsewhere, or to a path that differs from call to call.
        init?(_ call: CallSettings) {
            guard case .upstream(let path) = call.place, case .json(let content) = call.content else {
                return nil
            }
            var bytes: [UInt8] = []
            for part in path {
                guard case .text(let text) = part else { return nil }
                bytes += Array(text.utf8)
            }
            method = Array(call.method.utf8)
            self.path = bytes
            places = content.inputs
        }

        func matches(_ method: Span<UInt8>, _ path: Span<UInt8>) -> Bool {
            method.equals(self.method) && path.equals(self.path)
        }

        func text(_ input: String, in content: JSONValue) -> String? {
            places[input].flatMap { content.value(at: $0)?.text }
        }
    }

    package init(_ settings: OTPSettings) {
        self.settings = settings
        request = Form(settings.request)
        verify = Form(settings.verify)
    }

    /// Which of the two calls this is; nil for all others. `path` is what lies behind the route. The contents of both,
    /// and of their answers, are needed for `update`.
    package func step(method: Span<UInt8>, path: Span<UInt8>) -> Step? {
        if let request, request.matches(method, path) { return .request }
        if let verify, verify.matches(method, path) { return .verify }
        return nil
    }

    /// What comes of a call that was sent at `sent`; nil when it failed or does not say enough.
    package func update(
        _ step: Step, content: Secret, answer: TokenAnswer, sent: Moment
    ) -> Update? {
        guard let asked = content.reveal({ try? JSONValue($0) }) else { return nil }
        switch step {
        case .request:
            guard let operation = request?.text("operation", in: asked),
                let otpID = settings.otpID(in: answer)
            else { return nil }
            return .requested(operation: operation, subject: subject(of: operation, in: asked), otpID: otpID)
        case .verify:
            guard let otpID = verify?.text("otp_id", in: asked),
                let grant = try? settings.grant(in: answer, sent: sent)
            else { return nil }
            return .verified(otpID: Secret(otpID), token: grant.token, expires: grant.expires)
        }
    }

    /// Of the inputs that bind a token for `operation`, the first that was given.
    private func subject(of operation: String, in asked: JSONValue) -> String? {
        for call in settings.calls where call.operation.isExactly(operation) {
            if let input = call.subject?.input, let value = request?.text(input, in: asked) { return value }
        }
        return nil
    }

    /// The first of the calls that need a token and mean this one. `path` is what lies behind the route.
    package func call(method: Span<UInt8>, path: Span<UInt8>) -> OTPCall? {
        settings.calls.first { $0.pattern.matches(method: method, path: path) }
    }
}

extension OTPCall {
    /// Whether the content must be held until its end before a token can be chosen.
    package var needsContent: Bool { subject != nil }

    /// What exactly the call is about; nil when its content does not say it, or is not JSON.
    package func subject(in content: Secret) -> String? {
        guard let subject else { return nil }
        return content.reveal { try? JSONValue($0) }?.value(at: subject.field)?.text
    }
}

extension OTPSettings {
    /// The id of the code that a successful answer to `request` names.
    package func otpID(in answer: TokenAnswer) -> Secret? {
        answer.isSuccess ? try? AnswerReading(answer).token(at: readID) : nil
    }

    /// The token of an answer to `verify`, which was sent at `sent`.
    package func grant(in answer: TokenAnswer, sent: Moment) throws(GrantFault) -> Grant {
        try Grant.read(answer, read, lifetime: lifetime, refreshLifetime: nil, asked: sent)
    }
}

extension VerificationLedger {
    /// False when it changes nothing.
    package mutating func apply(
        _ update: OTPCapture.Update, by origin: Origin = .application, at now: Moment
    ) -> Bool {
        switch update {
        case .requested(let operation, let subject, let otpID):
            noteRequest(operation: operation, subject: subject, otpID: otpID, by: origin, at: now)
            return true
        case .verified(let otpID, let token, let expires):
            return noteVerified(otpID: otpID, token: token, expires: expires, at: now)
        }
    }
}

extension JSONTemplate {
    /// The inputs that fill a text of their own, and where.
    var inputs: [String: [AnswerPlace.Step]] {
        var places: [String: [AnswerPlace.Step]] = [:]
        collectInputs(at: [], into: &places)
        return places
    }

    private func collectInputs(at steps: [AnswerPlace.Step], into places: inout [String: [AnswerPlace.Step]])
    {
        switch self {
        case .literal: break
        case .text(let template):
            guard template.count == 1, case .input(let name) = template[0], places[name] == nil else {
                return
            }
            places[name] = steps
        case .object(let members):
            for member in members {
                member.value.collectInputs(at: steps + [.member(member.name)], into: &places)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                element.collectInputs(at: steps + [.element(index)], into: &places)
            }
        }
    }
}
