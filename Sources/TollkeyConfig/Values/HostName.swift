import TollkeyCore

/// The name of a machine (RFC 1123 §2.1, and the underscore that people use), in lower case.
package enum HostName {
    package static func parse(_ text: String) throws(Misfit) -> String {
        let name = text.lowercased()
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw Misfit("has letters beyond ASCII in its host; write its \"xn--\" form")
        }
        guard (1...253).contains(name.utf8.count) else {
            throw Misfit("has no host, or one that is too long")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            let isWord = label.utf8.allSatisfy { byte in
                Characters.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
            guard (1...63).contains(label.utf8.count), isWord else {
                throw Misfit("has a host that is no name; use letters, digits, \"-\" and \".\"")
            }
        }
        // `127.1` and `0x7f.1`: an address to a resolver, and a name to a check.
        guard let last = labels.last?.utf8.first, !Characters.isDigit(last) else {
            throw Misfit("has a host that looks like an address and is none")
        }
        return name
    }

    /// A name or a literal address without brackets, in lower case.
    package static func parseOrAddress(_ text: String) throws(Misfit) -> String {
        IPAddress(text) == nil ? try parse(text) : text.lowercased()
    }
}
