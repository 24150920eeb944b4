import TollkeyCore

/// One request to the admin listener, read whole.
struct AdminRequest {
    let method: String
    /// Without its first slash, in segments. Percent signs stay as they are: no name here needs one.
    let path: [String]
    /// Names and values, decoded; of one that is given twice the first.
    let query: [String: String]
    let content: Secret
    /// What the client's `Authorization: Bearer` holds.
    let bearer: Secret?
    let host: String?
    /// `Origin`, and the `Host` that it must agree with.
    let origin: String?
    let site: String?

    /// Bytes of a head, and of content.
    static let headBytesMax = 16 << 10
    static let contentBytesMax = 8 << 10

    init(_ head: borrowing RequestHead, _ bytes: [UInt8], content: Secret) {
        method = String(decoding: bytes[head.method], as: UTF8.self)
        path = bytes[head.target.path].split(separator: UInt8(ascii: "/"))
            .map { String(decoding: $0, as: UTF8.self) }
        query = Self.parameters(bytes[head.target.query].dropFirst())
        self.content = content
        var fields: [String: ArraySlice<UInt8>] = [:]
        for line in head.fields.lines {
            let name = String(decoding: bytes[line.name], as: UTF8.self).lowercased()
            guard Self.known.contains(name) else { continue }
            // Of two nobody knows which one is meant: neither passes the guard.
            fields[name] = fields[name] == nil ? bytes[line.value] : Self.doubled[...]
        }
        host = fields["host"].map { String(decoding: $0, as: UTF8.self) }
        origin = fields["origin"].map { String(decoding: $0, as: UTF8.self) }
        site = fields["sec-fetch-site"].map { String(decoding: $0, as: UTF8.self) }
        bearer = fields["authorization"].flatMap { value in
            String(decoding: value.prefix(7), as: UTF8.self).lowercased() == "bearer "
                ? Secret(Array(value.dropFirst(7))) : nil
        }
    }

    private static let known: Set<String> = ["host", "origin", "sec-fetch-site", "authorization"]

    private static let doubled = Array("given twice".utf8)

    private static func parameters(_ query: ArraySlice<UInt8>) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in query.split(separator: UInt8(ascii: "&")).prefix(parametersMax) {
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = decoded(parts[0])
            if parameters[name] == nil { parameters[name] = parts.count > 1 ? decoded(parts[1]) : "" }
        }
        return parameters
    }

    private static let parametersMax = 32

    private static func decoded(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let c = rest.popFirst() {
            if c == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(c == UInt8(ascii: "+") ? 0x20 : c)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What is answered.
struct AdminAnswer {
    var status: Int
    var type: String
    var content: [UInt8]
    /// Further header fields, by name.
    var fields: [(name: String, value: String)] = []
    /// For the log; empty for what is looked at.
    var words = ""

    init(_ status: Int, _ type: String, _ content: [UInt8]) {
        self.status = status
        self.type = type
        self.content = content
    }

    static func text(_ status: Int, _ text: String) -> AdminAnswer {
        AdminAnswer(status, "text/plain; charset=utf-8", Array("\(text)\n".utf8))
    }

    static func json(_ status: Int, _ value: JSONValue) -> AdminAnswer {
        AdminAnswer(status, "application/json", value.bytes + [10])
    }

    /// RFC 9457, as the proxy's own answers to clients.
    static func problem(_ kind: FailureKind, _ detail: String, status: Int? = nil) -> AdminAnswer {
        var details = ProblemDetails(Failure(kind, detail))
        if let status { details.status = status }
        var answer = AdminAnswer(details.status, "application/problem+json", Array(details.json.utf8))
        answer.fields = [("Tollkey-Problem", kind.rawValue)]
        answer.words = detail
        return answer
    }

    func bytes(withoutContent: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
        head += "Content-Type: \(type)\r\nContent-Length: \(content.count)\r\n"
        head += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        return Array((head + "\r\n").utf8) + (withoutContent ? [] : content)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        default: LocalAnswer.reason(status)
        }
    }
}
