import TollkeyCore

/// A path prefix of whole segments: `/piaxis`, `/pay/eu`.
package enum Route {
    package static func parse(_ text: String) throws(Misfit) -> String {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw Misfit("must begin with \"/\"") }
        guard bytes.count > 1 else { throw Misfit("cannot be \"/\" alone; name at least one segment") }
        guard bytes.count <= Bounds.routeBytes else {
            throw Misfit("is longer than \(Bounds.routeBytes) bytes")
        }
        guard bytes.last != UInt8(ascii: "/") else { throw Misfit("ends with \"/\"; take it off") }
        for segment in bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            if segment.isEmpty { throw Misfit("has \"//\" in it; write one slash") }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) {
                throw Misfit("has a dot segment; no call could reach it")
            }
            // No encoding: routes are compared byte for byte, and an encoded letter has two spellings.
            guard segment.allSatisfy({ Characters.isAlphanumeric($0) || "-._~".utf8.contains($0) }) else {
                throw Misfit("may hold letters, digits, \"-\", \".\", \"_\" and \"~\" between its slashes")
            }
        }
        return text
    }
}
