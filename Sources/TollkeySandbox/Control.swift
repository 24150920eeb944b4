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
        case ("GET", "violations", 1): return violations()
        case ("GET", "ca.pem", 1):
            var answer = Answer(200)
            answer.add("Content-Type", "application/x-pem-file")
            answer.body = .bytes(Array(authorityPEM.utf8))
            return answer
        case ("POST", "faults", 2): return arm(call, provider: String(segments[1]))
        case ("DELETE", "faults", 1):
            faults.disarm()
            return Answer(204)
        case ("POST", "revoke", 2):
            guard let play = Provider(rawValue: String(segments[1])).flatMap({ plays[$0] }) else {
                return Self.unknown
            }
            play.revokeIssued()
            return Answer(204)
        default: return Self.unknown
        }
    }

    private func requests(_ call: Call) -> Answer {
        guard let provider = call.queryValue("provider").flatMap(Provider.init(rawValue:)) else {
            return Self.wrong(
                "provider is one of \(Provider.allCases.map(\.rawValue).joined(separator: ", "))")
        }
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
            return Self.wrong("fault is NAME or NAME=NUMBER, such as slow-head=500")
        }
        let count = call.queryValue("count").map { Int($0) ?? 0 } ?? 1
        let prefix = call.queryValue("path") ?? ""
        guard faults.arm(fault, on: provider, count: count, pathPrefix: prefix) else {
            return Self.wrong(
                "count is 1 to \(FaultQueue.countMax), and \(FaultQueue.armedMax) faults can be armed")
        }
        return Answer(204)
    }

    private static func masked(_ line: HeaderLine) -> JSON {
        ["name": .text(line.name), "value": .text(Masking.value(line.value, of: line.name))]
    }

    private static func wrong(_ what: String) -> Answer { Answer(400, ["error": .text(what)]) }

    private static let unknownPaths: JSON = [
        "GET /requests?provider=NAME", "DELETE /requests", "GET /violations", "GET /ca.pem",
        "POST /faults/NAME?fault=FAULT&count=N&path=PREFIX", "DELETE /faults", "POST /revoke/NAME",
    ]

    private static var unknown: Answer { Answer(404, ["error": "not found", "paths": unknownPaths]) }
}
