/// Writes the head that goes to one provider: the client's, less what must not pass, with what is injected.
package struct RequestRewriter: Sendable {
    private let policy: HeaderPolicy
    private let basePath: [UInt8]
    /// ` HTTP/1.1`, CR LF and the `Host` line, which is the upstream's.
    private let versionAndHost: [UInt8]
    private let upstream: UpstreamURL
    /// Names of the provider's defaults, as they are compared.
    private let defaults: [[UInt8]]
    /// The end of the `Via` line (RFC 9110 §7.6.3), whose pseudonym tells a loop.
    private let via: [UInt8]
    private let pseudonym: [UInt8]
    /// The provider's settings say what `traceparent` it gets.
    private let hasOwnTrace: Bool

    /// `pseudonym` names this process in `Via`; a token in lower case, as long as those of other processes.
    package init(_ provider: ProviderSettings, pseudonym: String) {
        policy = HeaderPolicy(provider)
        basePath = Array(provider.upstream.basePath.utf8)
        versionAndHost = Array(" HTTP/1.1\r\nHost: \(provider.upstream.authority)\r\n".utf8)
        upstream = provider.upstream
        defaults = provider.defaults.map { $0.name.utf8.map(\.inName) }
        via = Array(" \(pseudonym)\r\n".utf8)
        self.pseudonym = Array(pseudonym.utf8)
        let headers = provider.inject + provider.defaults + (provider.otp?.inject ?? [])
        hasOwnTrace = headers.contains { $0.name.inName == "traceparent" }
    }

    /// `bytes` are those that `head` was read from; `prefixLength` is the route's. `credential` is of the same provider;
    /// unless it is constant, `occasion` is needed. `added` are further headers for this one request. `trace` takes the
    /// place of the client's `traceparent`, and of its `tracestate` when that is of another trace.
    ///
    /// What is in `out` after an error must not be sent. Errors come from what a request brings, such as a control
    /// character in a field of its content that a header is made of.
    package func write(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, prefixLength: Int,
        credential: CredentialSnapshot, occasion: Occasion? = nil, added: [RenderedHeader] = [],
        trace: TraceContext? = nil, into out: Buffer
    ) throws(RenderingError) {
        var rendering: SnapshotRendering?
        if !credential.isConstant {
            guard let occasion else { throw .missing("request") }
            rendering = SnapshotRendering(
                credential, parts(head, bytes, credential, occasion), now: occasion.now)
        }

        out.append(bytes.extracting(head.method))
        out.append(byte: 0x20)
        let path = head.target.path
        let pathStart = out.count
        out.append(basePath)
        out.append(bytes.extracting(path.lowerBound + prefixLength..<path.upperBound))
        if basePath.isEmpty, path.count == prefixLength { out.append(byte: UInt8(ascii: "/")) }
        let queryStart = out.count
        rendering?.request.path = Secret(Array(out.readable[pathStart..<queryStart]))
        if credential.injectsQuery {
            try credential.writeQuery(bytes.extracting(head.target.query), into: out, rendering)
        } else {
            out.append(bytes.extracting(head.target.query))
        }
        rendering?.request.query = Secret(Array(out.readable[queryStart..<out.count]))
        out.append(versionAndHost)

        let trace = hasOwnTrace ? nil : trace
        let sent = writeFields(head, bytes, without: added, trace, into: out)
        for index in defaults.indices where sent >> UInt64(index & 63) & 1 == 0 {
            try credential.writeDefault(index, into: out, rendering)
        }
        try credential.writeHeaders(into: out, rendering)
        for header in added { header.write(into: out) }
        if let trace {
            out.append("traceparent: ")
            trace.write(into: out)
            out.append("\r\n")
        }
        out.append(head.minorVersion == 1 ? "Via: 1.1" : "Via: 1.0")
        out.append(via)
        out.append(head.framing == .chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
    }

    /// The client's fields that may pass. A bit for each default that is among them.
    private func writeFields(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, without added: [RenderedHeader],
        _ trace: TraceContext?, into out: Buffer
    ) -> UInt64 {
        var sent: UInt64 = 0
        var run = 0..<0
        for line in head.fields.lines {
            if policy.removes(line, bytes) || isNamed(line, head.fields, bytes) { continue }
            if !added.isEmpty, added.contains(where: { $0.isNamed(bytes.extracting(line.name)) }) { continue }
            if let trace, trace.replaces(line, bytes) { continue }
            noteDefault(line, bytes, &sent)
            if line.start == run.upperBound {
                run = run.lowerBound..<line.end
            } else {
                out.append(bytes.extracting(run))
                run = line.line
            }
        }
        out.append(bytes.extracting(run))
        return sent
    }

    /// What of the request is asked for when `credential` is rendered, as far as the head says it.
    private func parts(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ credential: CredentialSnapshot,
        _ occasion: Occasion
    ) -> RequestParts {
        let asked = credential.recipe.parts
        var parts = RequestParts(
            method: String(decoding: bytes.extracting(head.method).copied, as: UTF8.self), upstream: upstream,
            content: occasion.content, readsFields: asked.readFields)
        for name in asked.headers {
            // RFC 9110 §5.3: several lines of one name are one list.
            var values: [[UInt8]] = []
            for line in head.fields.lines where bytes.extracting(line.name).isName(Array(name.utf8)) {
                values.append(bytes.extracting(line.value).copied)
            }
            parts.headers[name] = Secret(Array(values.joined(separator: Array(", ".utf8))))
        }
        return parts
    }

    /// The content's length is framing, which is ours: `Connection: Content-Length` must not take it away.
    private func isNamed(_ line: FieldLine, _ fields: borrowing MessageFields, _ bytes: Span<UInt8>) -> Bool {
        line.known != .contentLength && fields.isNamedByConnection(line, bytes)
    }

    /// How many defaults a provider may have, one bit each.
    package static let defaultsMax = 64

    private func noteDefault(_ line: FieldLine, _ bytes: Span<UInt8>, _ sent: inout UInt64) {
        for (index, name) in defaults.enumerated() where bytes.extracting(line.name).isName(name) {
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
