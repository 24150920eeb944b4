/// A moment as log lines have it, RFC 3339 in UTC to the millisecond; the calendar is asked once a second.
package struct LogTime: Sendable {
    private var second = Int64.min
    private var bytes: [UInt8] = []

    package init() {}

    /// Lends the text of `time`, milliseconds since 1970.
    package mutating func read<Result>(_ time: Int64, _ body: (Span<UInt8>) -> Result) -> Result {
        let milliseconds = (time % 1_000 + 1_000) % 1_000
        let second = (time - milliseconds) / 1_000
        if second != self.second {
            self.second = second
            bytes = Array(Dates.rfc3339(second * 1_000).utf8.dropLast()) + Array(".000Z".utf8)
        }
        // `…:SS.mmmZ`
        let end = bytes.count - 1
        bytes[end - 3] = UInt8(ascii: "0") + UInt8(milliseconds / 100)
        bytes[end - 2] = UInt8(ascii: "0") + UInt8(milliseconds / 10 % 10)
        bytes[end - 1] = UInt8(ascii: "0") + UInt8(milliseconds % 10)
        return body(bytes.span)
    }

    package static func text(_ time: Int64) -> String {
        var writer = LogTime()
        return writer.read(time) { bytes in
            bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }
}
