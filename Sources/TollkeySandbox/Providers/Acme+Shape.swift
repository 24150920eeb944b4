/// How Acme's answer says what it issued: the last segment of the token call's path.
extension Acme {
    enum Shape: String {
        /// `expires_in` as a number, as OAuth has it (RFC 6749 §5.1).
        case seconds
        /// The same as text.
        case text
        /// `expires_in_ms`.
        case milliseconds = "ms"
        /// `expires_at` as RFC 3339 has it.
        case date
        /// `expires_at` as HTTP has it.
        case httpDate = "http-date"
        /// `expires_at` in seconds since 1970.
        case epoch
        /// The token's own `exp` alone says it.
        case jwt
        /// Nothing says it.
        case none
        /// Deep inside, in a list.
        case nested
        /// In headers, with no content.
        case header
        /// The token is the content.
        case plain
    }

    /// What one token call hands out.
    struct Issue {
        let access: String
        let session: String
        let refresh: String?
        let life: Int64
    }

    func answer(_ issue: Issue, as shape: Shape, now: Int64) -> Answer {
        let end = now + issue.life
        var answer =
            switch shape {
            case .seconds: Answer(200, Self.content(issue, "expires_in", .number(issue.life)))
            case .text: Answer(200, Self.content(issue, "expires_in", .text(String(issue.life))))
            case .milliseconds: Answer(200, Self.content(issue, "expires_in_ms", .number(issue.life * 1_000)))
            case .date: Answer(200, Self.content(issue, "expires_at", .text(UnixTime.text(end))))
            case .httpDate: Answer(200, Self.content(issue, "expires_at", .text(UnixTime.httpText(end))))
            case .epoch: Answer(200, Self.content(issue, "expires_at", .number(end)))
            case .jwt, .none: Answer(200, Self.content(issue))
            case .nested: Answer(200, ["data": ["tokens": [["kind": "other"], Self.nested(issue)]]])
            case .header: Self.head(issue)
            case .plain: Self.text(issue.access)
            }
        answer.add("Cache-Control", "no-store")
        answer.issued = [issue.access, issue.session] + [issue.refresh].compactMap { $0 }
        return answer
    }

    private static func content(_ issue: Issue, _ name: String? = nil, _ life: JSON = .null) -> JSON {
        var content: JSON = [
            "access_token": .text(issue.access), "token_type": "Bearer", "session": .text(issue.session),
        ]
        if let name { content = content.adding(name, life) }
        return issue.refresh.map { content.adding("refresh_token", .text($0)) } ?? content
    }

    private static func nested(_ issue: Issue) -> JSON {
        let content: JSON = ["kind": "access", "value": .text(issue.access), "ttl": .number(issue.life)]
        return issue.refresh.map { content.adding("renewal", ["value": .text($0)]) } ?? content
    }

    private static func head(_ issue: Issue) -> Answer {
        var answer = Answer(204)
        answer.add("X-Auth-Token", issue.access)
        answer.add("X-Auth-Expires-In", String(issue.life))
        answer.add("X-Auth-Session", issue.session)
        if let refresh = issue.refresh { answer.add("X-Auth-Refresh", refresh) }
        return answer
    }

    private static func text(_ token: String) -> Answer {
        var answer = Answer(200)
        answer.add("Content-Type", "text/plain")
        answer.body = .bytes(Array(token.utf8))
        return answer
    }
}
