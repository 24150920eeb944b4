/// Patterns as sets of calls.
extension CallPattern {
    /// `METHOD /path`, as it was parsed.
    package var text: String {
        var bytes = method ?? [UInt8(ascii: "*")]
        bytes.append(UInt8(ascii: " "))
        for segment in segments {
            bytes.append(UInt8(ascii: "/"))
            switch segment {
            case .text(let text): bytes += text
            case .one: bytes.append(UInt8(ascii: "*"))
            case .rest: bytes += "**".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a call that it means is ever forwarded: see `Admission` about TRACE and CONNECT.
    package var canBeForwarded: Bool {
        guard let method else { return true }
        return !method.elementsEqual("TRACE".utf8) && !method.elementsEqual("CONNECT".utf8)
    }

    /// Whether some call is meant by both.
    package func overlaps(_ other: CallPattern) -> Bool {
        if let method, let wanted = other.method, method != wanted { return false }
        for index in 0..<max(segments.count, other.segments.count) {
            // One that has ended goes on with nothing, which is what a rest may be.
            guard index < segments.count else { return other.segments[index] == .rest }
            guard index < other.segments.count else { return segments[index] == .rest }
            switch (segments[index], other.segments[index]) {
            case (.rest, _), (_, .rest): return true
            case (.text(let one), .text(let other)): if one != other { return false }
            // One segment is not an empty one.
            case (.text(let text), .one), (.one, .text(let text)): if text.isEmpty { return false }
            case (.one, .one): break
            }
        }
        return true
    }
}
