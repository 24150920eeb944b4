/// A request's target (RFC 9112 §3.2), checked: path, query and, in absolute form, the host.
///
/// Nothing is normalised. What a router here and a server there could read as two different paths is refused: dot
/// segments, raw or encoded, encoded slashes, backslashes and NUL (RFC 3986 §6.2.2.3 would have them removed).
package struct RequestTarget: Sendable {
    /// With its first `/`; empty for `*` and for an authority.
    package private(set) var path: Range<Int> = 0..<0
    /// From the `?` on; empty when there is none.
    package private(set) var query: Range<Int> = 0..<0
    /// Of an absolute-form target.
    package private(set) var authority: Range<Int>?

    init() {}

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HeadError) {
        var start = range.lowerBound
        if bytes[start] == UInt8(ascii: "*"), range.count == 1 { return }
        if bytes[start] != UInt8(ascii: "/") {
            guard bytes.extracting(range).hasPrefixIgnoringCase("http://") else {
                throw .malformed("the request target is neither a path nor an http URL")
            }
            let authorityStart = start + 7
            start = authorityStart
            while start < range.upperBound, bytes[start] != UInt8(ascii: "/"),
                bytes[start] != UInt8(ascii: "?")
            {
                start += 1
            }
            guard start > authorityStart else { throw .malformed("the request target names no host") }
            authority = authorityStart..<start
            guard start < range.upperBound, bytes[start] == UInt8(ascii: "/") else {
                throw .malformed("the request target has no path")
            }
        }
        var end = start
        while end < range.upperBound, bytes[end] != UInt8(ascii: "?") { end += 1 }
        path = start..<end
        query = end..<range.upperBound
        try Self.checkPath(bytes, path)
        for i in query where !Characters.isQuery(bytes[i]) {
            throw .malformed("the query holds a character that must be percent-encoded")
        }
    }

    private static func checkPath(_ bytes: Span<UInt8>, _ path: Range<Int>) throws(HeadError) {
        var i = path.lowerBound
        var mayHaveDots = false
        while i < path.upperBound {
            guard Characters.isPath(bytes[i]) else {
                throw .malformed("the path holds a character that must be percent-encoded")
            }
            if bytes[i] == UInt8(ascii: ".") { mayHaveDots = true }
            if bytes[i] == UInt8(ascii: "%") {
                mayHaveDots = true
                guard let c = decoded(bytes, at: i, path.upperBound) else {
                    throw .malformed("the path holds a percent sign without two hexadecimal digits")
                }
                guard c != UInt8(ascii: "/"), c != UInt8(ascii: "\\"), c != 0 else {
                    throw .malformed("the path holds an encoded slash, backslash or NUL")
                }
                // The percent sign that it stands for may begin another.
                if c == UInt8(ascii: "%"), let c = decoded(bytes, at: i + 2, path.upperBound),
                    "./\\".utf8.contains(c)
                {
                    throw .malformed("the path holds a dot, slash or backslash that is encoded twice")
                }
                i += 2
            }
            i += 1
        }
        if mayHaveDots, hasDotSegments(bytes, path) { throw .malformed("the path holds a dot segment") }
    }

    /// The character that `%XX` at `i` stands for.
    private static func decoded(_ bytes: Span<UInt8>, at i: Int, _ end: Int) -> UInt8? {
        guard i + 2 < end, let high = Characters.hexValue(bytes[i + 1]),
            let low = Characters.hexValue(bytes[i + 2])
        else { return nil }
        return high << 4 | low
    }

    /// Whether a segment of `path` is `.` or `..`, raw or encoded.
    static func hasDotSegments(_ bytes: Span<UInt8>, _ path: Range<Int>) -> Bool {
        var segment = Segment()
        var i = path.lowerBound
        while i < path.upperBound {
            let c = bytes[i]
            if c == UInt8(ascii: "/") {
                if segment.isDots { return true }
                segment = Segment()
            } else if c == UInt8(ascii: "%"), let c = decoded(bytes, at: i, path.upperBound) {
                segment.note(c)
                i += 2
            } else {
                segment.note(c)
            }
            i += 1
        }
        return segment.isDots
    }

    /// Watches whether a segment is `.` or `..`, also before a `;`, behind which some servers see parameters.
    private struct Segment {
        private var dots = 0
        private var isOver = false
        private var isOther = false

        mutating func note(_ c: UInt8) {
            if isOver { return }
            if c == UInt8(ascii: ";") {
                isOver = true
            } else if c == UInt8(ascii: ".") {
                dots += 1
            } else {
                isOther = true
            }
        }

        var isDots: Bool { !isOther && (dots == 1 || dots == 2) }
    }
}
