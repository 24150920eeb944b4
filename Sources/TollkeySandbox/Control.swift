import NIOHTTP1

/// What the control listener answers: the record, the violations, the faults.
struct Control: Sendable {
    let record: Record
    let faults: FaultQueue
    let plays: [Provider: any Play]
    let authorityPEM: String

    func answer(_ head: HTTPRequestHead) -> Answer {
        guard let call = Call(head: head, body: [], bodyBytes: 0, basePath: "") else { return Self.unknown }
        let segments = call.segments
        switch (call.method, segments.first, segments.count) {
        case ("GET", "requests", 1): return requests(call)
        case ("DELETE", "requests", 1):
            record.clear()
            return Answer(204)
        case ("GET", "counts", 1): return counts(call)
        case ("GET", "violations", 1): return violations()
        case ("GET", "ca.pem", 1):
            var answer = Answer(200)
            answer.add("Content-Type", "application/x-pem-file")
            answer.body = .bytes(Array(authorityPEM.utf8))
            return answer
        case ("POST", "faults", 2): return arm(call, provider: String(segments[1]))
        case ("DELETE", "faults", 1):
            faults.disarm(nil)
            return Answer(204)
        case ("POST", "revoke", 2): return revoke(call, provider: String(segments[1]))
        case ("POST", "tokens", 2), ("DELETE", "tokens", 2): return token(call, provider: String(segments[1]))
        default: return Self.unknown
        }
    }

    private func requests(_ call: Call) -> Answer {
        guard let provider = Self.provider(call) else { return Self.wrongProvider }
        let requests: [JSON] = record.requests(of: provider).map { request in
            [
                "connection": .number(Int64(request.connection)), "resumed": .bool(request.isResumed),
                "method": .text(request.method), "target": .text(Masking.target(request.target)),
                "headers": .array(request.headers.map(Self.masked)),
                "body_bytes": .number(request.bodyBytes), "complete": .bool(request.isComplete),
            ]
        }
        return Answer(
            200,
            [
                "provider": .text(provider.rawValue), "count": .number(Int64(record.count(of: provider))),
                "requests": .array(requests),
            ])
    }

    private func counts(_ call: Call) -> Answer {
        guard let provider = Self.provider(call) else { return Self.wrongProvider }
        let counted = record.tokenCalls(of: provider)
        let calls = TokenCall.allCases.map {
            JSON.Member(name: $0.rawValue, value: .number(Int64(counted[$0] ?? 0)))
        }
        return Answer(
            200,
            [
                "provider": .text(provider.rawValue), "count": .number(Int64(record.count(of: provider))),
                "token_calls": .object(calls),
            ])
    }

    private func violations() -> Answer {
        let violations: [JSON] = record.violations.map { violation in
            [
                "provider": .text(violation.provider.rawValue),
                "connection": .number(Int64(violation.connection)),
                "kind": .text(violation.kind.rawValue), "detail": .text(violation.detail),
            ]
        }
        return Answer(200, ["violations": .array(violations)])
    }

    private func arm(_ call: Call, provider: String) -> Answer {
        guard let provider = Provider(rawValue: provider) else { return Self.unknown }
        guard let fault = call.queryValue("fault").flatMap({ Fault($0) }) else {
            return Self.wrong("fault is NAME or NAME=VALUE, such as slow-head=500")
        }
        let asked = call.queryValue("count") ?? "1"
        let count: Int? = asked == "always" ? nil : Int(asked) ?? 0
        let prefix = call.queryValue("path") ?? ""
        guard faults.arm(fault, on: provider, count: count, pathPrefix: prefix) else {
            return Self.wrong(
                """
                count is 1 to \(FaultQueue.countMax) or always, and \(FaultQueue.armedMax) faults can be armed
                """)
        }
        return Answer(204)
    }

    private func revoke(_ call: Call, provider: String) -> Answer {
        guard let play = Provider(rawValue: provider).flatMap({ plays[$0] }) else { return Self.unknown }
        switch call.queryValue("only") {
        case nil: play.revokeIssued()
        case "access": play.revokeAccess()
        default: return Self.wrong("only is access, or is left out")
        }
        return Answer(204)
    }

    private func token(_ call: Call, provider: String) -> Answer {
        guard let play = Provider(rawValue: provider).flatMap({ plays[$0] }) else { return Self.unknown }
        guard let token = call.queryValue("token"), !token.isEmpty else {
            return Self.wrong("token is missing")
        }
        let scopes = call.queryValue("scopes")?.split(separator: " ").map(String.init)
        let isDone =
            call.method == "POST" ? play.add(token: token, scopes: scopes) : play.revoke(token: token)
        return isDone ? Answer(204) : Self.wrong("the provider has no such token, or has enough of them")
    }

    private static func provider(_ call: Call) -> Provider? {
        call.queryValue("provider").flatMap(Provider.init(rawValue:))
    }

    private static var wrongProvider: Answer {
        wrong("provider is one of \(Provider.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    private static func masked(_ line: HeaderLine) -> JSON {
        ["name": .text(line.name), "value": .text(Masking.value(line.value, of: line.name))]
    }

    private static func wrong(_ what: String) -> Answer { Answer(400, ["error": .text(what)]) }

    private static let unknownPaths: JSON = [
        "GET /requests?provider=NAME", "DELETE /requests", "GET /counts?provider=NAME", "GET /violations",
        "GET /ca.pem", "POST /faults/NAME?fault=FAULT&count=N|always&path=PREFIX", "DELETE /faults",
        "POST /revoke/NAME?only=access", "POST /tokens/NAME?token=TOKEN&scopes=A+B",
        "DELETE /tokens/NAME?token=TOKEN",
    ]

    private static var unknown: Answer { Answer(404, ["error": "not found", "paths": unknownPaths]) }
}
