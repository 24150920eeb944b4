import NIOHTTP1

/// What the head of a request does wrong, by the rules for proxies (RFC 9110 §7.6.1, RFC 9112 §3.2, §6.1).
struct Inspection {
    /// The values that Host may have on this listener.
    let hosts: Set<String>
    let places: CredentialPlaces

    func findings(in head: HTTPRequestHead, call: Call?, needsCredential: Bool) -> [Finding] {
        hopByHop(head.headers) + framing(head.headers) + host(head.headers)
            + credential(head.headers, isNeeded: needsCredential) + key(in: call, isNeeded: needsCredential)
            + client(head.headers)
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
            return isWrong ? Finding(.hopByHop, name) : nil
        }
    }

    private func framing(_ headers: HTTPHeaders) -> [Finding] {
        let encodings = headers["transfer-encoding"]
        let lengths = headers["content-length"]
        var findings: [Finding] = []
        if !encodings.isEmpty, encodings.map({ $0.lowercased() }) != ["chunked"] {
            findings.append(Finding(.hopByHop, "Transfer-Encoding is not exactly one chunked"))
        }
        if !encodings.isEmpty, !lengths.isEmpty {
            findings.append(Finding(.malformed, "both Content-Length and Transfer-Encoding"))
        }
        if lengths.count > 1 { findings.append(Finding(.malformed, "Content-Length twice")) }
        return findings
    }

    private func host(_ headers: HTTPHeaders) -> [Finding] {
        let values = headers["host"]
        switch values.count {
        case 0: return [Finding(.host, "missing")]
        case 1: return hosts.contains(values[0].lowercased()) ? [] : [Finding(.host, "wrong: \(values[0])")]
        default: return [Finding(.host, "\(values.count) of them")]
        }
    }

    private func credential(_ headers: HTTPHeaders, isNeeded: Bool) -> [Finding] {
        var findings: [Finding] = []
        for name in places.headers where headers[name].count > 1 {
            findings.append(Finding(.credentialTwice, name))
        }
        guard isNeeded else { return findings }
        for name in places.allOf where !Self.holdsSomething(headers[name]) {
            findings.append(Finding(.noCredential, name))
        }
        let anyOf = places.anyOf
        if !anyOf.isEmpty, !anyOf.contains(where: { Self.holdsSomething(headers[$0]) }) {
            findings.append(Finding(.noCredential, anyOf.joined(separator: " or ")))
        }
        return findings
    }

    private func key(in call: Call?, isNeeded: Bool) -> [Finding] {
        places.query.compactMap { name in
            let values = call?.query.filter { $0.name == name }.map(\.value) ?? []
            if values.count > 1 { return Finding(.credentialTwice, "\(name) in the query") }
            let isMissing = isNeeded && !Self.holdsSomething(values)
            return isMissing ? Finding(.noCredential, "\(name) in the query") : nil
        }
    }

    /// A scheme with nothing behind it is no credential either.
    private static func holdsSomething(_ values: [String]) -> Bool {
        values.contains { !["", "bearer", "basic"].contains($0.lowercased()) }
    }

    private func client(_ headers: HTTPHeaders) -> [Finding] {
        headers.compactMap { name, _ in
            let lower = name.lowercased()
            let isWrong = lower.hasPrefix("x-forwarded-") || ["cookie", "forwarded"].contains(lower)
            return isWrong ? Finding(.clientHeader, name) : nil
        }
    }
}
