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
        members.append(Self.member("request_id", requestID))
        if let may = failure.mayHaveBeenProcessed { members.append("\"may_have_been_processed\":\(may)") }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    private static func member(_ name: String, _ value: String) -> String { "\"\(name)\":\(quoted(value))" }

    /// RFC 8259 §7.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case let c where c.value < 0x20:
                let digits = String(c.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case let c: quoted.unicodeScalars.append(c)
            }
        }
        return quoted + "\""
    }
}
