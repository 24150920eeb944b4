/// `METHOD /path`: which calls a rule is about.
///
/// `*` as method is any; in the path `*` is one segment and a final `**` is the rest, also none.
package struct CallPattern: Sendable, Hashable {
    package enum Segment: Sendable, Hashable {
        case text([UInt8])
        case one
        case rest
    }

    /// nil is any.
    package let method: [UInt8]?
    package let segments: [Segment]

    /// What is wrong with a pattern's text.
    package enum Invalid: Error, Equatable {
        case notMethodAndPath
        case badMethod
        case pathWithoutSlash
        case restNotLast
        case wildcardInsideSegment
    }

    package init(_ text: String) throws(Invalid) {
        let bytes = Array(text.utf8)
        guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
            !bytes[(space + 1)...].contains(UInt8(ascii: " "))
        else { throw .notMethodAndPath }
        let method = bytes[..<space]
        let path = bytes[(space + 1)...]
        let isAny = method.elementsEqual("*".utf8)
        guard !method.isEmpty,
            isAny || method.allSatisfy({ Characters.isToken($0) && $0 != UInt8(ascii: "*") })
        else { throw .badMethod }
        guard path.first == UInt8(ascii: "/") else { throw .pathWithoutSlash }
        self.method = isAny ? nil : Array(method)
        var segments: [Segment] = []
        for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if segments.last == .rest { throw .restNotLast }
            if part.elementsEqual("**".utf8) {
                segments.append(.rest)
            } else if part.elementsEqual("*".utf8) {
                segments.append(.one)
            } else if part.contains(UInt8(ascii: "*")) {
                throw .wildcardInsideSegment
            } else {
                segments.append(.text(Array(part)))
            }
        }
        self.segments = segments
    }

    /// Whether `method` and `path` (with its first `/`, without query) are meant. Case matters in both.
    package func matches(method: Span<UInt8>, path: Span<UInt8>) -> Bool {
        if let wanted = self.method, !method.equals(wanted) { return false }
        var at = 1  // behind the first slash
        for (index, segment) in segments.enumerated() {
            if segment == .rest { return true }
            if at > path.count { return false }
            var end = at
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            switch segment {
            case .text(let text): if !path.extracting(at..<end).equals(text) { return false }
            case .one: if at == end { return false }
            case .rest: return true
            }
            if index == segments.count - 1 { return end == path.count }
            // `/a/**` also means `/a` itself: the rest may be nothing.
            if end == path.count { return segments[index + 1] == .rest }
            at = end + 1
        }
        return false
    }
}
