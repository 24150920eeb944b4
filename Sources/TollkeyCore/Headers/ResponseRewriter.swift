/// Writes the head that goes back to the client: the provider's, less what belongs to its connection.
package final class ResponseRewriter: Sendable {
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
    /// Names of the parameters that are injected.
    private let injected: [[UInt8]]

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
        injected = provider.injectQuery.map { Array($0.name.utf8) }
    }

    /// `bytes` are those that `head` was read from.
    package func write(
        _ head: borrowing ResponseHead, _ bytes: Span<UInt8>, _ delivery: Delivery, into out: Buffer
    ) {
        out.append("HTTP/1.1 ")
        out.append(bytes.extracting(head.statusAndReason))
        // RFC 9112 §4: the space belongs there also in front of no reason, which providers forget.
        out.append(head.statusAndReason.count == 3 ? " \r\n" : "\r\n")
        var run = 0..<0
        for line in head.fields.lines {
            if removes(line, head, bytes) { continue }
            if line.known == .location {
                out.append(bytes.extracting(run))
                run = 0..<0
                writeLocation(line, bytes, into: out)
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

    private func writeLocation(_ line: FieldLine, _ bytes: Span<UInt8>, into out: Buffer) {
        out.append(bytes.extracting(line.start..<line.valueStart))
        var kept = line.valueStart
        switch destination(bytes.extracting(line.value)) {
        case .route(let base):
            out.append(route)
            kept += base
        case .upstream: out.append(origins[0])
        case .elsewhere: break
        }
        writeReference(bytes.extracting(kept..<line.valueEnd), into: out)
        out.append(bytes.extracting(line.valueEnd..<line.end))
    }

    /// Providers lead on with the query that they were called with, and the client must not see what was injected there.
    private func writeReference(_ reference: Span<UInt8>, into out: Buffer) {
        var fragment = 0
        while fragment < reference.count, reference[fragment] != UInt8(ascii: "#") { fragment += 1 }
        var query = 0
        while query < fragment, reference[query] != UInt8(ascii: "?") { query += 1 }
        guard !injected.isEmpty, query < fragment else { return out.append(reference) }
        out.append(reference.extracting(0..<query))
        QueryText.write(reference.extracting(query..<fragment), without: injected, into: out)
        out.append(reference.extracting(fragment..<reference.count))
    }

    private func removes(_ line: FieldLine, _ head: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        // Only answers made here carry `Tollkey-Problem`.
        if line.known == .problem { return true }
        // RFC 9209: of the names that begin with Proxy-, this one is for everybody on the way.
        if line.known.isHopByHop { return !bytes.extracting(line.name).isName("proxy-status") }
        // RFC 9110 §8.6: none of these has content, so a length here is a trap for whoever believes it.
        if line.known == .contentLength { return head.status == 204 || head.isInterim }
        return head.fields.isNamedByConnection(line, bytes)
    }

    /// Writes the trailers that may pass (RFC 9110 §6.5.1), without the empty line.
    package func writeTrailers(_ trailers: [UInt8], into out: Buffer) {
        Trailers.write(trailers, into: out) { line, _ in line.known.isForbiddenInTrailers }
    }

    /// Where a `Location` leads, seen from the client.
    private enum Destination {
        /// Into the upstream's base: this much of it is the base, and the route stands for it.
        case route(Int)
        /// On the upstream, but not below its base: here the path would be another provider's.
        case upstream
        case elsewhere
    }

    private func destination(_ location: Span<UInt8>) -> Destination {
        var start: Int?
        for origin in origins where location.count >= origin.count {
            if location.extracting(0..<origin.count).equalsIgnoringCase(origin) { start = origin.count }
        }
        let isPath =
            location.count > 0 && location[0] == UInt8(ascii: "/")
            && (location.count == 1 || location[1] != UInt8(ascii: "/"))
        let outside = isPath ? Destination.upstream : .elsewhere
        guard let start = start ?? (isPath ? 0 : nil), location.count >= start + basePath.count,
            location.extracting(start..<start + basePath.count).equals(basePath)
        else { return outside }
        let rest = start + basePath.count
        guard rest == location.count || "/?#".utf8.contains(location[rest]),
            !hasDotSegments(location, from: rest)
        else { return outside }
        return .route(rest)
    }

    /// Whether the path from `start` on could climb out of where it stands.
    private func hasDotSegments(_ location: Span<UInt8>, from start: Int) -> Bool {
        var end = start
        while end < location.count, location[end] != UInt8(ascii: "?"), location[end] != UInt8(ascii: "#") {
            end += 1
        }
        return RequestTarget.hasDotSegments(location, start..<end)
    }
}
