/// What is kept of a provider's verification tokens, for another process and for the next start.
package struct StoredVerifications: Sendable {
    package var tokens: [VerificationLedger.Token]

    package init(_ tokens: [VerificationLedger.Token]) { self.tokens = tokens }

    /// As JSON text; in the clear, so that whoever writes it down encrypts it.
    package func encode() -> Secret {
        let list = tokens.map { token in
            var members: [JSONValue.Member] = [
                .init("token", .text(token.token.reveal { String(decoding: $0, as: UTF8.self) })),
                .init("operation", .text(token.operation)), .init("origin", .text(token.origin.rawValue)),
                .init("expires", .number(String(token.expires.wall))),
            ]
            if let subject = token.subject { members.append(.init("subject", .text(subject))) }
            return JSONValue.object(members)
        }
        return Secret(JSONValue.object([.init("v", .number("1")), .init("tokens", .array(list))]).bytes)
    }

    /// Those that live, for `lifetime` at most; nil when `record` is none, or one of another version.
    package init?(decoding record: Secret, lifetime: Duration, at now: Moment) {
        guard let json = record.reveal({ try? JSONValue($0) }),
            json.value(at: [.member("v")])?.text == "1",
            case .array(let list)? = json.value(at: [.member("tokens")])
        else { return nil }
        tokens = list.compactMap { item in
            let text = { (name: String) in item.value(at: [.member(name)])?.text }
            guard let token = text("token"), let operation = text("operation"),
                let origin = text("origin").flatMap(VerificationLedger.Origin.init(rawValue:)),
                let wall = text("expires").flatMap({ Int64($0) }), wall > now.wall
            else { return nil }
            // The other process's monotonic clock may be that of another boot.
            let left = min(.milliseconds(wall) - .milliseconds(now.wall), lifetime)
            return VerificationLedger.Token(
                token: Secret(token), operation: operation, subject: text("subject"), origin: origin,
                expires: now + left)
        }
    }
}
