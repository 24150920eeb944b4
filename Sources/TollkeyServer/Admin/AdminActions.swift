import TollkeyCore

/// What an operator may change while the proxy runs.
struct AdminActions: Sendable {
    let logControl: LogControl
    let flows: PersonFlows
    let unsaved: UnsavedRotations
    /// The provider of that name in somebody's hands; nil when there is none.
    let desk: @Sendable (String, AuditActor) throws -> Operator?
    /// Reads the configuration again; what is wrong with it, or nil.
    let reload: @Sendable (AuditActor) -> String?
    let note: @Sendable (AuditEvent) -> Void

    static let names = ["refresh", "rotate", "otp", "login", "reload", "log"]

    func perform(_ action: String, _ request: AdminRequest, by actor: AuditActor) -> AdminAnswer {
        switch action {
        case "reload" where request.path.count == 1:
            return reload(actor).map { .failed($0) } ?? .done("The configuration was loaded.")
        case "log" where request.path.count == 1: return log(request, by: actor)
        case "refresh" where request.path.count == 2:
            return operate(request, actor) { desk throws(OperatorFailure) in
                .told(try desk.refresh(request.query["credential"]))
            }
        case "rotate" where request.path.count == 2:
            return operate(request, actor) { desk throws(OperatorFailure) in
                let outcome = try RotationFlow(desk).perform(unsaved)
                guard outcome.unsaved == nil else {
                    return .failed(
                        outcome.report.words
                            + "\nThis process alone has it. Mend the state and, before the process ends, ask once more:"
                            + " POST /rotate/\(desk.name) then keeps it, and makes no other.")
                }
                return .told(outcome.report)
            }
        case "otp" where (2...3).contains(request.path.count): return otp(request, by: actor)
        case "login" where (2...3).contains(request.path.count): return login(request, by: actor)
        default: return .problem(.noRoute, "POST /\(action) takes another path; see docs/admin.md.")
        }
    }

    private func operate(
        _ request: AdminRequest, _ actor: AuditActor,
        _ body: (Operator) throws(OperatorFailure) -> AdminAnswer
    ) -> AdminAnswer {
        do {
            guard let desk = try desk(request.path[1], actor) else {
                return .problem(.noRoute, "There is no such provider.")
            }
            return try body(desk)
        } catch { return .failed("\(error)") }
    }

    // MARK: The log

    /// `level`, `access`, `sample`: those that are given are changed, until the next reload.
    private func log(_ request: AdminRequest, by actor: AuditActor) -> AdminAnswer {
        var settings = logControl.settings
        for (name, value) in request.query {
            switch name {
            case "level":
                guard let level = LogLevel(rawValue: value) else {
                    return .problem(.badRequest, "'level' is debug, info, warning or error.")
                }
                settings.level = level
            case "access":
                guard let access = Bool(value) else {
                    return .problem(.badRequest, "'access' is true or false.")
                }
                settings.access = access
            case "sample":
                guard let sample = Double(value), (0...1).contains(sample) else {
                    return .problem(.badRequest, "'sample' is a number from 0 to 1.")
                }
                settings.sample = sample
            default: return .problem(.badRequest, "There is 'level', 'access' and 'sample'.")
            }
        }
        logControl.settings = settings
        let words =
            "level \(settings.level.rawValue), access \(settings.access), sample \(settings.sample)"
        note(AuditEvent(.action, by: actor, words: "log: \(words)"))
        return .done("\(words), until the next reload")
    }

    // MARK: People

    /// `POST /otp/NAME?operation=…&INPUT=…` asks for a code; `POST /otp/NAME/ID` brings it.
    private func otp(_ request: AdminRequest, by actor: AuditActor) -> AdminAnswer {
        if request.path.count == 3 { return flows.go(on: request.path[2], with: request.content) }
        return operate(request, actor) { desk throws(OperatorFailure) in
            var inputs = request.query
            let operation = inputs.removeValue(forKey: "operation")
            let flow = try OTPFlow(desk, operation: operation, with: inputs)
            return flows.begin { ask in
                do throws(OperatorFailure) {
                    return .told(
                        try flow.run { left in
                            ask([
                                "words": .text(
                                    left < OTPFlow.triesMax
                                        ? "The code was wrong; once more."
                                        : "The code for \(flow.operation) is wanted."),
                                "tries_left": .int(left),
                            ])
                        })
                } catch { return .failed(error.description) }
            }
        }
    }

    /// `POST /login/NAME` answers the URL for a browser; `POST /login/NAME/ID` brings the address it ended at.
    private func login(_ request: AdminRequest, by actor: AuditActor) -> AdminAnswer {
        if request.path.count == 3 { return flows.go(on: request.path[2], with: request.content) }
        return operate(request, actor) { desk throws(OperatorFailure) in
            let credential = request.query["credential"]
            let uri = LoginFlow.pastedURI(try desk.login(named: credential).1.redirectURI)
            let flow = try LoginFlow(desk, credential: credential, redirectURI: uri)
            return flows.begin { ask in
                do throws(OperatorFailure) {
                    let pasted = ask([
                        "words":
                            "Log in at this URL, and send the address that the browser shows in the end.",
                        "url": .text(flow.url),
                    ])
                    guard let pasted else { throw OperatorFailure("No address was given.") }
                    let text = pasted.reveal { String(decoding: $0, as: UTF8.self) }
                    return .told(try flow.finish(flow.code(pasted: text)))
                } catch { return .failed(error.description) }
            }
        }
    }
}

extension AdminAnswer {
    static func done(_ words: String) -> AdminAnswer {
        var answer = json(200, ["outcome": "done", "words": .text(words)])
        answer.words = words
        return answer
    }

    static func failed(_ words: String) -> AdminAnswer {
        var answer = json(409, ["outcome": "failed", "words": .text(words)])
        answer.words = words
        return answer
    }

    fileprivate static func told(_ report: OperatorReport) -> AdminAnswer {
        report.isGood ? .done(report.words) : .failed(report.words)
    }
}

extension OperatorReport {
    fileprivate var words: String { lines.map(\.text).joined(separator: "\n") }
}
