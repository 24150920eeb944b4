/// What the audit trail holds of one event.
package struct AuditEntry: Sendable, Equatable {
    /// Milliseconds since 1970, UTC, by the clock of who wrote it.
    package var time: Int64
    package var event: AuditEvent

    package init(time: Int64, event: AuditEvent) {
        self.time = time
        self.event = event
    }

    /// An encoded entry, at most: six texts behind their lengths.
    package static let bytesMax = 2_048

    private static let format: UInt8 = 1

    /// The only bytes that say this: a format, the time, and each text behind its length.
    package func encode() -> [UInt8] {
        var bytes = [Self.format]
        Self.append(UInt64(bitPattern: time), to: &bytes)
        let texts = [
            event.kind.rawValue, event.outcome.rawValue, event.provider, event.credential, event.actor.text,
            event.words,
        ]
        for text in texts {
            let count = text.utf8.count
            bytes += [UInt8(count >> 8), UInt8(count & 0xff)]
            bytes += text.utf8
        }
        return bytes
    }

    /// nil for what this version has not written.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count <= Self.bytesMax, bytes.first == Self.format, bytes.count >= 9 else { return nil }
        time = Int64(bitPattern: bytes[1..<9].reduce(0) { $0 << 8 | UInt64($1) })
        var texts: [String] = []
        var rest = bytes[9...]
        while rest.count >= 2 {
            let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard rest.count >= count else { return nil }
            texts.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        guard rest.isEmpty, texts.count == 6, let kind = AuditEvent.Kind(rawValue: texts[0]),
            let outcome = AuditEvent.Outcome(rawValue: texts[1])
        else { return nil }
        event = AuditEvent(
            kind, outcome, provider: texts[2], credential: texts[3], by: AuditActor(text: texts[4]),
            words: texts[5])
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }
}
