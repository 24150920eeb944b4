/// The JSON content of a local answer (RFC 9457).
package struct ProblemDetails {
    package var failure: Failure
    package var provider: String?
    package var requestID: String

    package init(_ failure: Failure, provider: String?, requestID: String) {
        self.failure = failure
        self.provider = provider
        self.requestID = requestID
    }

    package var json: String {
        let row = failure.kind.row
        var members = [
            Self.member("type", "urn:tollkey:problem:" + failure.kind.rawValue),
            Self.member("title", row.title.description),
            "\"status\":\(row.status)",
            Self.member("detail", failure.detail),
        ]
        if let provider { members.append(Self.member("provider", provider)) }
        if let category = failure.category { members.append(Self.member("category", category)) }
        members.append(Self.member("request_id", requestID))
        if let may = failure.mayHaveBeenProcessed { members.append("\"may_have_been_processed\":\(may)") }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    private static func member(_ name: String, _ value: String) -> String {
        "\"\(name)\":\(JSON.quoted(value))"
    }
}
