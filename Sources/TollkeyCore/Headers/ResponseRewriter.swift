/// Writes the head that goes back to the client: the provider's, less what belongs to its connection.
package struct ResponseRewriter: Sendable {
    /// What the client's connection makes of the answer.
    package struct Delivery: Sendable {
        package var chunked: Bool
        package var close: Bool
        /// The client speaks HTTP/1.0 and wants the connection kept.
        package var saysKeepAlive: Bool
        package init(chunked: Bool, close: Bool, saysKeepAlive: Bool) {
            self.chunked = chunked
            self.close = close
            self.saysKeepAlive = saysKeepAlive
        }
    }

    /// `https://host`, `https://host:443`, `//host`, …; in lower case.
    private let origins: [[UInt8]]
    private let basePath: [UInt8]
    private let route: [UInt8]

    package init(_ provider: ProviderSettings) {
        let url = provider.upstream
        var authorities = [url.authority]
        if url.port == url.defaultPort {
            var withPort = url.authority
            withPort += ":\(url.port)"
            authorities.append(withPort)
        }
        origins = authorities.flatMap {
            [Array("\(url.scheme.rawValue)://\($0)".utf8), Array("//\($0)".utf8)]
        }
        basePath = Array(url.basePath.utf8)
        route = Array(provider.route.utf8)
    }

    /// `bytes` are those that `head` was read from.
    package func write(
        _ head: borrowing ResponseHead, _ bytes: Span<UInt8>, _ delivery: Delivery, into out: Buffer
    ) {
        out.append("HTTP/1.1 ")
        out.append(bytes.extracting(head.statusAndReason))
        out.append("\r\n")
        var run = 0..<0
        for line in head.fields.lines {
            if removes(line, head, bytes) { continue }
            if line.known == .location, let rest = inBase(bytes.extracting(line.value)) {
                out.append(bytes.extracting(run))
                run = 0..<0
                out.append(bytes.extracting(line.start..<line.valueStart))
                out.append(route)
                out.append(bytes.extracting(line.valueStart + rest..<line.end))
            } else if line.start == run.upperBound {
                run = run.lowerBound..<line.end
            } else {
                out.append(bytes.extracting(run))
                run = line.line
            }
        }
        out.append(bytes.extracting(run))
        if delivery.chunked { out.append("Transfer-Encoding: chunked\r\n") }
        if delivery.close {
            out.append("Connection: close\r\n")
        } else if delivery.saysKeepAlive {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
    }

    private func removes(_ line: FieldLine, _ head: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        // Only answers made here carry `Tollkey-Problem`.
        if line.known.isHopByHop || line.known == .problem { return true }
        // RFC 9110 §8.6: none of these has content, so a length here is a trap for whoever believes it.
        if line.known == .contentLength { return head.status == 204 || head.isInterim }
        return head.fields.isNamedByConnection(line, bytes)
    }

    /// Writes the trailers that may pass (RFC 9110 §6.5.1), without the empty line.
    package func writeTrailers(_ trailers: [UInt8], into out: Buffer) {
        Trailers.write(trailers, into: out) { line, _ in line.known.isForbiddenInTrailers }
    }

    /// Where the rest behind the upstream's base begins in a `Location` that leads into it; nil for any other.
    private func inBase(_ location: Span<UInt8>) -> Int? {
        var start: Int?
        for origin in origins where location.count >= origin.count {
            if location.extracting(0..<origin.count).equalsIgnoringCase(origin) { start = origin.count }
        }
        if start == nil, location.count > 0, location[0] == UInt8(ascii: "/") {
            if location.count > 1, location[1] == UInt8(ascii: "/") { return nil }
            start = 0
        }
        guard let start, location.count >= start + basePath.count,
            location.extracting(start..<start + basePath.count).equals(basePath)
        else { return nil }
        let rest = start + basePath.count
        let isBoundary = rest == location.count || "/?#".utf8.contains(location[rest])
        return isBoundary ? rest : nil
    }
}
