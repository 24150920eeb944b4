/// Spans as OTLP/HTTP sends them in JSON: an `ExportTraceServiceRequest`
/// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
///
/// Attributes are those of OpenTelemetry's stable conventions for HTTP spans, and a few of our own.
package struct SpanJSON: Sendable {
    /// What comes before the spans: who sends them.
    private let beginning: [UInt8]
    private static let end = Array("]}]}]}".utf8)

    /// `instance` tells this process from others of the service.
    package init(version: String, instance: String) {
        var out = SpanText()
        out.write(#"{"resourceSpans":[{"resource":{"attributes":["#)
        out.attribute("service.name", "tollkey")
        out.attribute("service.version", version)
        out.attribute("service.instance.id", instance)
        out.write(#"]},"scopeSpans":[{"scope":{"name":"tollkey","version":"#)
        out.quote(version)
        out.write(#"},"spans":["#)
        beginning = out.bytes
    }

    /// `origin`: the wall clock at zero of the monotonic one, in nanoseconds since 1970.
    package func request(_ calls: some Collection<CallSpan>, origin: Int64) -> [UInt8] {
        var out = SpanText(bytes: beginning)
        out.bytes.reserveCapacity(beginning.count + calls.count * Self.bytesOfCall)
        for call in calls {
            out.write(call, origin)
            for (index, attempt) in call.attempts.prefix(CallSpan.attemptsMax).enumerated() {
                out.write(attempt, number: index, of: call, origin)
            }
        }
        return out.bytes + Self.end
    }

    /// With one attempt, about.
    private static let bytesOfCall = 2 << 10
}

/// Writes one span after the other.
struct SpanText {
    var bytes: [UInt8] = []
    /// Whether something stands in the list that is being written.
    private var isFirst = true

    init(bytes: [UInt8] = []) { self.bytes = bytes }

    // MARK: Spans

    /// The whole exchange, seen from the client: kind 2 is SERVER.
    mutating func write(_ call: CallSpan, _ origin: Int64) {
        let method = Method(call.method)
        begin(call.context, span: call.context.span, parent: call.parent, isRemote: call.parent != 0)
        name(method, call.place.route)
        write(#","kind":2"#)
        times(call.start, call.end, origin)
        attribute(method)
        attribute("url.path", call.path)
        attribute("url.scheme", "http")
        if !call.place.route.isEmpty { attribute("http.route", call.place.route) }
        if let status = call.status { attribute("http.response.status_code", status) }
        // By the conventions only what is the server's fault is an error of a server span.
        let isError = call.failure.map { $0.row.side != .client } ?? ((call.status ?? 0) >= 500)
        if let failure = call.failure {
            attribute("error.type", failure.rawValue)
        } else if isError, let status = call.status {
            attribute("error.type", String(status))
        }
        own(call)
        if let id = call.requestID { attribute("tollkey.provider_request_id", id) }
        end(isError: isError)
    }

    /// One attempt, seen from the provider: kind 3 is CLIENT.
    mutating func write(_ attempt: CallSpan.Attempt, number: Int, of call: CallSpan, _ origin: Int64) {
        let method = Method(call.method)
        begin(call.context, span: attempt.span, parent: call.context.span, isRemote: false)
        name(method, "")
        write(#","kind":3"#)
        times(attempt.start, attempt.end, origin)
        attribute(method)
        if let upstream = call.place.upstream {
            attribute("server.address", upstream.host)
            attribute("server.port", upstream.port)
            let rest = String(decoding: call.path.utf8.dropFirst(call.place.route.utf8.count), as: UTF8.self)
            let base = "\(upstream.scheme.rawValue)://\(upstream.authority)\(upstream.basePath)"
            attribute("url.full", base + (rest.isEmpty && upstream.basePath.isEmpty ? "/" : rest))
        }
        if number > 0 { attribute("http.request.resend_count", number) }
        if let status = attempt.status { attribute("http.response.status_code", status) }
        let isError = attempt.failure != nil || (attempt.status ?? 0) >= 400
        if let failure = attempt.failure {
            attribute("error.type", failure.rawValue)
        } else if isError, let status = attempt.status {
            attribute("error.type", String(status))
        }
        own(call)
        end(isError: isError)
    }

    private mutating func own(_ call: CallSpan) {
        attribute("tollkey.provider", call.place.provider)
        if !call.category.isEmpty { attribute("tollkey.category", call.category) }
        attribute("tollkey.source", call.source.rawValue)
    }

    // MARK: Parts of a span

    private mutating func begin(_ context: TraceContext, span: UInt64, parent: UInt64, isRemote: Bool) {
        if let last = bytes.last, last != UInt8(ascii: "[") { write(",") }
        write(#"{"traceId":""#)
        bytes += Array(context.traceText.utf8)
        write(#"","spanId":""#)
        bytes += Array(TraceContext.text(span).utf8)
        write("\"")
        if parent != 0 {
            write(#","parentSpanId":""#)
            bytes += Array(TraceContext.text(parent).utf8)
            write("\"")
        }
        // The low byte are W3C's flags; bit 8 says that it is known whether the parent is remote, bit 9 that it is.
        let flags = (context.isSampled ? 1 : 0) | 0x100 | (isRemote ? 0x200 : 0)
        write(#","flags":\#(flags)"#)
        write(#","name":"#)
    }

    private mutating func name(_ method: Method, _ target: String) {
        quote(target.isEmpty ? method.name : "\(method.name) \(target)")
    }

    private mutating func times(_ start: MonotonicTime, _ end: MonotonicTime, _ origin: Int64) {
        write(#","startTimeUnixNano":"\#(origin &+ start.nanoseconds)""#)
        write(#","endTimeUnixNano":"\#(origin &+ max(start, end).nanoseconds)""#)
        write(#","attributes":["#)
        isFirst = true
    }

    private mutating func end(isError: Bool) {
        write(#"],"status":{"#)
        if isError { write(#""code":2"#) }
        write("}}")
    }

    private mutating func attribute(_ method: Method) {
        attribute("http.request.method", method.known ?? "_OTHER")
        if method.known == nil { attribute("http.request.method_original", method.text) }
    }

    mutating func attribute(_ key: String, _ value: String) {
        beginAttribute(key)
        write(#""stringValue":"#)
        quote(value)
        write("}}")
    }

    /// 64-bit numbers are strings in protobuf's JSON.
    mutating func attribute(_ key: String, _ value: Int) {
        beginAttribute(key)
        write(#""intValue":"\#(value)"}}"#)
    }

    private mutating func beginAttribute(_ key: String) {
        if !isFirst { write(",") }
        isFirst = false
        write(#"{"key":""#)
        write(key)
        write(#"","value":{"#)
    }

    mutating func write(_ text: String) { bytes += Array(text.utf8) }

    mutating func quote(_ text: String) { JSONText.append(Array(text.utf8), to: &bytes) }

    /// Only the methods of RFC 9110 and RFC 5789 are names; others come from clients, and there is no end of them.
    private struct Method {
        let text: String
        let known: String?

        init(_ text: String) {
            self.text = text
            known = Self.all.contains(text) ? text : nil
        }

        var name: String { known ?? "HTTP" }

        private static let all: Set<String> = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ]
    }
}

/// What a collector answers to a request that it took: an `ExportTraceServiceResponse`.
package struct ExportAnswer: Sendable, Equatable {
    /// Spans that it did not take after all.
    package let rejected: Int

    /// None that can be read says that all were taken, as OTLP has it.
    package init(_ content: [UInt8]) {
        let path: [AnswerPlace.Step] = [.member("partialSuccess"), .member("rejectedSpans")]
        let text = (try? JSONValue(content))?.value(at: path)?.text
        rejected = max(0, text.flatMap { Int($0) } ?? 0)
    }
}
