import TollkeyCore

extension CallPattern {
    /// Parses `METHOD /path`, and refuses besides what no call could ever match.
    static func parse(_ text: String) throws(Misfit) -> CallPattern {
        let pattern: CallPattern
        do throws(CallPattern.Invalid) {
            pattern = try CallPattern(text)
        } catch {
            throw Misfit(words(for: error))
        }
        let method = pattern.method ?? []
        if method.contains(where: { Characters.lowercased($0) == $0 && (0x61...0x7a).contains($0) }) {
            throw Misfit("has a method in small letters; methods are written in capitals (\"GET /path\")")
        }
        for case .text(let segment) in pattern.segments {
            guard segment.allSatisfy({ Characters.isPath($0) }) else {
                throw Misfit("has a character that no path holds; patterns are about paths, without query")
            }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) {
                throw Misfit("has a dot segment; no call could match it")
            }
        }
        return pattern
    }

    private static func words(for invalid: Invalid) -> String {
        switch invalid {
        case .notMethodAndPath: "must be a method, one space and a path, such as \"GET /payments/**\""
        case .badMethod: "has no good method; write GET, POST, …, or \"*\" for any"
        case .pathWithoutSlash: "has a path that does not begin with \"/\""
        case .restNotLast: "has something behind \"**\", which stands for the rest; end with it"
        case .wildcardInsideSegment: "has a \"*\" inside a segment; it stands for a whole one"
        }
    }
}
