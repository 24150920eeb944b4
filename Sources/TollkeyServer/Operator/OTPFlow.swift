package import TollkeyCore

/// A person's yes to one operation: a code is asked for, typed, and exchanged for a verification token, which a daemon
/// then adds to the calls that need it.
package struct OTPFlow: Sendable {
    package let operation: String
    private let desk: Operator
    private let settings: OTPSettings
    private let inputs: [String: Secret]
    /// As `OTPCapture` binds a token that an application asks for.
    private let subject: (input: String, value: String)?

    /// A code that is refused may be typed anew, so often in all.
    package static let triesMax = 3
    package static let codeBytesMax = 64
    private static let savesMax = 8

    /// `operation` may be nil where there is but one. `given` are inputs of the call that asks for the code, by name.
    package init(
        _ desk: Operator, operation: String? = nil, with given: [String: String] = [:]
    ) throws(OperatorFailure) {
        guard let settings = desk.provider.otp else {
            throw OperatorFailure("\(desk.name) has no one-time passwords: its configuration has no 'otp'.")
        }
        self.desk = desk
        self.settings = settings
        self.operation = try Self.choose(operation, settings)
        let known = settings.inputNames
        for name in given.keys.sorted() where !known.contains(name) {
            let names = known.isEmpty ? "none" : known.joined(separator: ", ")
            throw OperatorFailure("The call for a code takes no '\(name)'; it takes \(names).")
        }
        var inputs = given.mapValues { Secret($0) }
        inputs["operation"] = Secret(self.operation)
        self.inputs = inputs
        subject =
            settings.calls.lazy.filter { [operation = self.operation] in $0.operation == operation }
            .compactMap(\.subject).compactMap { subject in
                given[subject.input].map { (input: subject.input, value: $0) }
            }.first
    }

    private static func choose(_ wanted: String?, _ settings: OTPSettings) throws(OperatorFailure) -> String {
        let known = Set(settings.calls.map(\.operation)).sorted()
        let names = known.joined(separator: ", ")
        guard let first = known.first else {
            throw OperatorFailure(
                "No call needs a one-time password: the configuration's 'otp' has no 'calls'.")
        }
        if let wanted {
            guard known.contains(wanted) else {
                throw OperatorFailure("No call needs the operation '\(wanted)'; there is \(names).")
            }
            return wanted
        }
        guard known.count == 1 else {
            throw OperatorFailure("There are several operations (\(names)); say which with --operation.")
        }
        return first
    }

    /// Asks for a code, has it typed, and keeps the token. `ask` is told how many tries are left, and answers nil when
    /// the person gives up.
    package func run(_ ask: (_ triesLeft: Int) -> Secret?) throws(OperatorFailure) -> OperatorReport {
        try desk.noting(.otp, operation) { () throws(OperatorFailure) in try askAndKeep(ask) }
    }

    private func askAndKeep(
        _ ask: (_ triesLeft: Int) -> Secret?
    ) throws(OperatorFailure) -> OperatorReport {
        let secrets = try desk.secrets()
        let snapshot = try desk.snapshot(with: secrets)
        let calls = desk.calls(with: secrets)
        let otpID = try request(calls, snapshot)
        desk.note(.otp, .begun, operation, "a code was asked for")
        for left in (0..<Self.triesMax).reversed() {
            guard let code = ask(left + 1), !code.isEmpty else {
                throw OperatorFailure("No code was typed. Nothing was verified.")
            }
            guard code.reveal({ $0.count <= Self.codeBytesMax }) else {
                throw OperatorFailure("No code is longer than \(Self.codeBytesMax) bytes.")
            }
            let answered = try perform(
                settings.verify, ["otp_id": otpID, "code": code], calls, snapshot)
            if let grant = try grant(in: answered) { return try keep(grant, answered.asked) }
            if left == 0 {
                let words = answered.answer.refusal(asked: answered.asked)
                throw OperatorFailure("The code was refused (\(words)). Ask for a new one.")
            }
        }
        throw OperatorFailure("The code was refused. Ask for a new one.")
    }

    /// nil when the code was wrong.
    private func grant(in answered: ProviderCalls.Answered) throws(OperatorFailure) -> Grant? {
        do throws(GrantFault) {
            return try settings.grant(in: answered.answer, sent: answered.asked)
        } catch {
            switch error.reason {
            case .rejected?, .grantDead?: return nil
            case .limited?, .unavailable?, nil:
                throw OperatorFailure("The code could not be verified: \(error.words).")
            }
        }
    }

    private func request(_ calls: ProviderCalls, _ snapshot: CredentialSnapshot) throws(OperatorFailure)
        -> Secret
    {
        let answered = try perform(settings.request, inputs, calls, snapshot)
        let words = answered.answer.refusal(asked: answered.asked)
        guard answered.answer.isSuccess else {
            throw OperatorFailure("The provider sends no code (\(words)).")
        }
        guard let otpID = settings.otpID(in: answered.answer) else {
            throw OperatorFailure(
                "The provider's answer (\(words)) has no id of the code where the configuration's 'read' says."
            )
        }
        return otpID
    }

    private func perform(
        _ call: CallSettings, _ inputs: [String: Secret], _ calls: ProviderCalls,
        _ snapshot: CredentialSnapshot
    ) throws(OperatorFailure) -> ProviderCalls.Answered {
        do throws(ProviderCalls.Fault) {
            return try calls.perform(call, inputs: inputs, snapshot: snapshot)
        } catch { throw OperatorFailure("The provider could not be asked: \(error.words).") }
    }

    // MARK: Keeping

    private func keep(_ grant: Grant, _ asked: Moment) throws(OperatorFailure) -> OperatorReport {
        let token = VerificationLedger.Token(
            token: grant.token, operation: operation, subject: subject?.value, origin: .person,
            expires: .earlier(grant.expires, asked + settings.lifetime))
        try save(token)
        desk.note(.otp, .done, operation, "good until \(TimeFormat.rfc3339.text(token.expires.wall))")
        var report = OperatorReport()
        report.say("Verified: \(operation), good \(token.expires.inWords(at: desk.clock.now)), for")
        for call in settings.calls where call.operation == operation {
            let bound = subject.flatMap {
                $0.input == call.subject?.input ? " with \($0.input) \($0.value)" : nil
            }
            report.say("    \(call.pattern.words)\(bound ?? "")")
        }
        if let words = desk.ring() { report.complain(words) }
        return report
    }

    /// Beside what others have kept meanwhile.
    private func save(_ token: VerificationLedger.Token) throws(OperatorFailure) {
        let place = RecordPlace.verifications(desk.provider)
        for _ in 0..<Self.savesMax {
            do throws(StateFailure) {
                let record = try desk.store.load(place)
                let kept = record.flatMap {
                    StoredVerifications(
                        decoding: $0.content, lifetime: settings.lifetime, at: desk.clock.now)
                }
                let tokens = (kept?.tokens ?? []) + [token]
                try desk.store.save(
                    StoredVerifications(tokens.suffix(OTPSettings.heldMax)).encode(), at: place,
                    replacing: record?.version ?? 0)
                return
            } catch {
                if error.kind != .superseded {
                    throw OperatorFailure(
                        "The code was right, and its token could not be kept: \(error.description). Ask for a new code."
                    )
                }
            }
        }
        throw OperatorFailure("The code was right, and others kept writing to the state. Ask for a new code.")
    }
}

extension StoredVerifications {
    fileprivate init(_ tokens: ArraySlice<VerificationLedger.Token>) { self.init(Array(tokens)) }
}

extension OTPSettings {
    /// What may be given to the call that asks for a code, besides the operation.
    package var inputNames: [String] {
        var names: Set<String> = []
        for case .input(let name) in request.templates.joined() where name != "operation" {
            names.insert(name)
        }
        return names.sorted()
    }
}

extension CallPattern {
    /// As in the configuration.
    var words: String {
        let method = method.map { String(decoding: $0, as: UTF8.self) } ?? "*"
        let path = segments.map { segment in
            switch segment {
            case .text(let text): String(decoding: text, as: UTF8.self)
            case .one: "*"
            case .rest: "**"
            }
        }
        return "\(method) /\(path.joined(separator: "/"))"
    }
}
