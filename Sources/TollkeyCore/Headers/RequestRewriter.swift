/// Writes the head that goes to one provider: the client's, less what must not pass, with what is injected.
package struct RequestRewriter: Sendable {
    private let policy: HeaderPolicy
    private let basePath: [UInt8]
    /// ` HTTP/1.1`, CR LF and the `Host` line, which is the upstream's.
    private let versionAndHost: [UInt8]
    private let defaults: [(name: [UInt8], line: CredentialSnapshot)]
    /// The end of the `Via` line (RFC 9110 §7.6.3), whose pseudonym tells a loop.
    private let via: [UInt8]
    private let pseudonym: [UInt8]

    /// `pseudonym` names this process in `Via`; a token in lower case, as long as those of other processes.
    package init(_ provider: ProviderSettings, pseudonym: String) {
        policy = HeaderPolicy(provider)
        basePath = Array(provider.upstream.basePath.utf8)
        versionAndHost = Array(" HTTP/1.1\r\nHost: \(provider.upstream.authority)\r\n".utf8)
        // Rendered once: a default is no credential and has no generations.
        defaults = provider.defaults.map { header in
            let line = CredentialSnapshot(generation: 0, headers: [header], secrets: provider.secrets)
            return (header.name.utf8.map(\.inName), line)
        }
        via = Array(" \(pseudonym)\r\n".utf8)
        self.pseudonym = Array(pseudonym.utf8)
    }

    /// `bytes` are those that `head` was read from; `prefixLength` is the route's.
    package func write(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, prefixLength: Int,
        credential: CredentialSnapshot,
        into out: Buffer
    ) {
        out.append(bytes.extracting(head.method))
        out.append(byte: 0x20)
        let path = head.target.path
        out.append(basePath)
        out.append(bytes.extracting(path.lowerBound + prefixLength..<path.upperBound))
        if basePath.isEmpty, path.count == prefixLength { out.append(byte: UInt8(ascii: "/")) }
        out.append(bytes.extracting(head.target.query))
        out.append(versionAndHost)

        var sent: UInt64 = 0
        var run = 0..<0
        for line in head.fields.lines {
            if policy.removes(line, bytes) || isNamed(line, head.fields, bytes) { continue }
            noteDefault(line, bytes, &sent)
            if line.start == run.upperBound {
                run = run.lowerBound..<line.end
            } else {
                out.append(bytes.extracting(run))
                run = line.line
            }
        }
        out.append(bytes.extracting(run))

        for (index, header) in defaults.enumerated() where sent >> UInt64(index & 63) & 1 == 0 {
            header.line.write(into: out)
        }
        credential.write(into: out)
        out.append(head.minorVersion == 1 ? "Via: 1.1" : "Via: 1.0")
        out.append(via)
        out.append(head.framing == .chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
    }

    /// The content's length is framing, which is ours: `Connection: Content-Length` must not take it away.
    private func isNamed(_ line: FieldLine, _ fields: borrowing MessageFields, _ bytes: Span<UInt8>) -> Bool {
        line.known != .contentLength && fields.isNamedByConnection(line, bytes)
    }

    /// How many defaults a provider may have, one bit each.
    package static let defaultsMax = 64

    private func noteDefault(_ line: FieldLine, _ bytes: Span<UInt8>, _ sent: inout UInt64) {
        for (index, header) in defaults.enumerated() where bytes.extracting(line.name).isName(header.name) {
            sent |= 1 << UInt64(index & 63)
        }
    }

    /// Writes the trailers that may pass (RFC 9110 §6.5.1), without the empty line.
    package func writeTrailers(_ trailers: [UInt8], into out: Buffer) {
        Trailers.write(trailers, into: out) { line, bytes in
            line.known.isForbiddenInTrailers || policy.removes(line, bytes)
        }
    }

    /// Whether a `Via` of the request names this very process (RFC 9110 §7.6.3).
    package func isLoop(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard head.fields.hasVia else { return false }
        for line in head.fields.lines where line.known == .via {
            let last = line.valueEnd - pseudonym.count
            guard last >= line.valueStart else { continue }
            for start in line.valueStart...last
            where bytes.extracting(start..<start + pseudonym.count).equalsIgnoringCase(pseudonym) {
                return true
            }
        }
        return false
    }
}

/// Field lines behind a chunked content.
enum Trailers {
    static func write(
        _ trailers: [UInt8], into out: Buffer, unless removes: (FieldLine, Span<UInt8>) -> Bool
    ) {
        var position = 0
        while position < trailers.count, let line = try? FieldLine.read(trailers.span, at: position) {
            if !removes(line, trailers.span) { out.append(trailers.span.extracting(line.line)) }
            position = line.end
        }
    }
}
