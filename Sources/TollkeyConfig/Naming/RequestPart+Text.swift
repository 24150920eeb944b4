import TollkeyCore

extension RequestPart {
    static let forms = "${request.body}, ${request.field.amount} or ${request.header.X-Id}"

    private static let whole: [String: RequestPart] = [
        "method": .method, "path": .path, "query": .query, "target": .target, "url": .url, "host": .host,
        "body": .body,
    ]

    /// Parses what follows `request.`.
    static func parse(_ text: String) throws(Misfit) -> RequestPart {
        if let part = whole[text] { return part }
        let kind = text.prefix { $0 != "." }
        let rest = String(text.dropFirst(kind.count + 1))
        switch kind {
        case "field":
            do throws(Misfit) {
                return .field(try AnswerPlace.steps(rest))
            } catch { throw Misfit("names a field of the request that \(error.message)") }
        case "header":
            guard (1...Bounds.headerNameBytes).contains(rest.utf8.count),
                rest.utf8.allSatisfy({ Characters.isToken($0) })
            else { throw Misfit("names no header of the request; write \(forms)") }
            return .header(rest.lowercased())
        default:
            let known = whole.keys.sorted() + ["field", "header"]
            let hint = NearMiss.hint(for: String(kind), among: known)
            throw Misfit("names no part of the request\(hint); there are \(known.joined(separator: ", "))")
        }
    }
}
