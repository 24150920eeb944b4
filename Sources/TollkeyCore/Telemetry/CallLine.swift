/// The log's line about one request, as JSON. Written without an allocation: it is on the way of every request.
///
/// Holds no query, no header's value but the provider's own number for the request, no content.
package struct CallLine: ~Copyable {
    private let out: Buffer

    /// Bytes of a path that are logged.
    package static let pathBytesMax = 512

    /// Begins the line. `time` is in RFC 3339; `level` and `provider` are names of ours.
    package init(into out: Buffer, time: Span<UInt8>, isWarning: Bool) {
        self.out = out
        out.append("{\"time\":\"")
        out.append(time)
        out.append(isWarning ? "\",\"level\":\"warning\"" : "\",\"level\":\"info\"")
        out.append(",\"message\":\"call\"")
    }

    package func requestID(_ id: RequestID) {
        out.append(",\"request_id\":\"")
        id.write(into: out)
        out.append(byte: UInt8(ascii: "\""))
    }

    package func text(_ key: StaticString, _ bytes: Span<UInt8>) {
        name(key)
        out.append(byte: UInt8(ascii: "\""))
        var start = 0
        // What needs no escape goes over in one piece.
        for i in bytes.indices {
            let c = bytes[i]
            guard c < 0x20 || c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") || c >= 0x7f else {
                continue
            }
            out.append(bytes.extracting(start..<i))
            out.append("\\u00")
            out.append(byte: Self.digit(c >> 4))
            out.append(byte: Self.digit(c & 15))
            start = i + 1
        }
        out.append(bytes.extracting(start..<bytes.count))
        out.append(byte: UInt8(ascii: "\""))
    }

    package func text(_ key: StaticString, _ text: String) {
        name(key)
        out.append(JSON.quoted(text))
    }

    package func number(_ key: StaticString, _ number: Int) {
        name(key)
        out.append(decimal: number)
    }

    /// To the microsecond.
    package func seconds(_ key: StaticString, _ span: TimeSpan) {
        name(key)
        let (seconds, rest) = max(0, span.microseconds).quotientAndRemainder(dividingBy: 1_000_000)
        out.append(decimal: Int(seconds))
        out.append(byte: UInt8(ascii: "."))
        var digit = Int64(100_000)
        while digit > 0 {
            out.append(byte: UInt8(ascii: "0") + UInt8(rest / digit % 10))
            digit /= 10
        }
    }

    package func flag(_ key: StaticString) {
        name(key)
        out.append("true")
    }

    /// The record's own part, and the line's end.
    package consuming func end(_ record: CallRecord) {
        number("status", record.status)
        switch record.source {
        case .provider: out.append(",\"source\":\"provider\"")
        case .tollkey: out.append(",\"source\":\"tollkey\"")
        case .client: out.append(",\"source\":\"client\"")
        }
        seconds("seconds", record.span)
        if let span = record.upstreamSpan { seconds("upstream_seconds", span) }
        if let span = record.waitSpan { seconds("wait_seconds", span) }
        number("attempts", record.attempts)
        if record.generation > 0 { number("generation", record.generation) }
        number("bytes_in", record.bytesIn)
        number("bytes_out", record.bytesOut)
        if let id = record.requestID { text("provider_request_id", id) }
        if record.isCut { flag("cut") }
        if let failure = record.failure {
            text("kind", failure.kind.rawValue)
            text("detail", failure.detail)
        }
        out.append("}\n")
    }

    private func name(_ key: StaticString) {
        out.append(",\"")
        out.append(key)
        out.append("\":")
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

/// A request's name: unlike every other in this process, and very likely anywhere.
package struct RequestID: Sendable, Equatable, CustomStringConvertible {
    /// The event loop's, drawn when it began.
    package let origin: UInt64
    package let number: UInt64

    package init(origin: UInt64, number: UInt64) {
        self.origin = origin
        self.number = number
    }

    package func write(into out: Buffer) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: origin >> UInt64(shift) & 15)
            out.append(
                byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        out.append(byte: UInt8(ascii: "-"))
        out.append(decimal: Int(clamping: number))
    }

    package var description: String {
        let hex = String(origin, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex + "-\(number)"
    }
}
