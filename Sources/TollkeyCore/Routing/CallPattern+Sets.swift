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

    /// The calls that are meant by both; nil when there are none.
    package func intersection(_ other: CallPattern) -> CallPattern? {
        guard overlaps(other) else { return nil }
        var both: [Segment] = []
        for index in 0..<max(segments.count, other.segments.count) {
            // Where one has ended the other one says no more than "or nothing".
            guard index < segments.count, index < other.segments.count else { break }
            switch (segments[index], other.segments[index]) {
            case (.rest, _):
                return CallPattern(method: method ?? other.method, both + other.segments[index...])
            case (_, .rest): return CallPattern(method: method ?? other.method, both + segments[index...])
            case (.text, _): both.append(segments[index])
            case (.one, _): both.append(other.segments[index])
            }
        }
        return CallPattern(method: method ?? other.method, both)
    }

    private init(method: [UInt8]?, _ segments: [Segment]) {
        self.method = method
        self.segments = segments
    }

    /// Whether each call that the other one means is meant.
    package func covers(_ other: CallPattern) -> Bool {
        if let method, method != other.method { return false }
        for (index, segment) in segments.enumerated() {
            if segment == .rest { return true }
            guard index < other.segments.count else { return false }
            switch (segment, other.segments[index]) {
            case (.text(let one), .text(let other)): if one != other { return false }
            case (.one, .text(let text)): if text.isEmpty { return false }
            case (.one, .one): break
            case (_, .one), (_, .rest), (.rest, _): return false
            }
        }
        return segments.count == other.segments.count
    }
}
