/// The JSON content of a local answer (RFC 9457).
package struct ProblemDetails {
    package var failure: Failure
    package var provider: String?
    /// Of a client's request; an operator's has none.
    package var requestID: String?
    /// Of the answer.
    package var status: Int

    package init(_ failure: Failure, provider: String? = nil, requestID: String? = nil) {
        self.failure = failure
        self.provider = provider
        self.requestID = requestID
        status = failure.kind.row.status
    }

    package var json: String {
        var members = [
            Self.member("type", "urn:tollkey:problem:" + failure.kind.rawValue),
            Self.member("title", failure.kind.row.title.description),
            "\"status\":\(status)",
            Self.member("detail", failure.detail),
        ]
        if let provider { members.append(Self.member("provider", provider)) }
        if let category = failure.category { members.append(Self.member("category", category)) }
        if let requestID { members.append(Self.member("request_id", requestID)) }
        if let may = failure.mayHaveBeenProcessed { members.append("\"may_have_been_processed\":\(may)") }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    private static func member(_ name: String, _ value: String) -> String {
        "\"\(name)\":\(JSON.quoted(value))"
    }
}
