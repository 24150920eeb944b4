import NIOHTTP1

/// What the head of a request does wrong, by the rules for proxies (RFC 9110 §7.6.1, RFC 9112 §3.2, §6.1).
struct Inspection {
    typealias Finding = (kind: Violation.Kind, detail: String)

    /// The values that Host may have on this listener.
    let hosts: Set<String>
    let credentialHeaders: CredentialHeaders

    func findings(in head: HTTPRequestHead, needsCredential: Bool) -> [Finding] {
        hopByHop(head.headers) + framing(head.headers) + host(head.headers)
            + credential(head.headers, isNeeded: needsCredential) + client(head.headers)
    }

    private func hopByHop(_ headers: HTTPHeaders) -> [Finding] {
        headers.compactMap { name, value in
            let lower = name.lowercased()
            let isWrong =
                switch lower {
                case "connection": !["keep-alive", "close"].contains(value.lowercased())
                case "te": value.lowercased() != "trailers"
                case "keep-alive", "upgrade": true
                default: lower.hasPrefix("proxy-")
                }
            return isWrong ? (.hopByHop, name) : nil
        }
    }

    private func framing(_ headers: HTTPHeaders) -> [Finding] {
        let encodings = headers["transfer-encoding"]
        let lengths = headers["content-length"]
        var findings: [Finding] = []
        if !encodings.isEmpty, encodings.map({ $0.lowercased() }) != ["chunked"] {
            findings.append((.hopByHop, "Transfer-Encoding is not exactly one chunked"))
        }
        if !encodings.isEmpty, !lengths.isEmpty {
            findings.append((.malformed, "both Content-Length and Transfer-Encoding"))
        }
        if lengths.count > 1 { findings.append((.malformed, "Content-Length twice")) }
        return findings
    }

    private func host(_ headers: HTTPHeaders) -> [Finding] {
        let values = headers["host"]
        switch values.count {
        case 0: return [(.host, "missing")]
        case 1: return hosts.contains(values[0].lowercased()) ? [] : [(.host, "wrong: \(values[0])")]
        default: return [(.host, "\(values.count) of them")]
        }
    }

    private func credential(_ headers: HTTPHeaders, isNeeded: Bool) -> [Finding] {
        var findings: [Finding] = []
        for name in credentialHeaders.all + ["X-Verification-Token"] where headers[name].count > 1 {
            findings.append((.credentialTwice, name))
        }
        guard isNeeded else { return findings }
        for name in credentialHeaders.allOf where headers[name].isEmpty {
            findings.append((.noCredential, name))
        }
        let anyOf = credentialHeaders.anyOf
        if !anyOf.isEmpty, anyOf.allSatisfy({ headers[$0].isEmpty }) {
            findings.append((.noCredential, anyOf.joined(separator: " or ")))
        }
        return findings
    }

    private func client(_ headers: HTTPHeaders) -> [Finding] {
        headers.compactMap { name, _ in
            let lower = name.lowercased()
            let isWrong = lower.hasPrefix("x-forwarded-") || ["cookie", "forwarded"].contains(lower)
            return isWrong ? (.clientHeader, name) : nil
        }
    }
}
