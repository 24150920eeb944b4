import TollkeyCore

/// `host`, `host:port`, `[v6]` or `[v6]:port` (RFC 3986 §3.2 without user-info).
struct Authority {
    /// Without brackets, in lower case; not yet checked to be a name.
    var host: String
    var isBracketed = false
    var port: Int?

    init(_ text: String, ports: ClosedRange<Int>) throws(Misfit) {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else {
                throw Misfit("has a \"[\" without its \"]\"")
            }
            host = String(decoding: rest[1..<end], as: UTF8.self).lowercased()
            isBracketed = true
            guard host.utf8.contains(UInt8(ascii: ":")), IPAddress(host) != nil else {
                throw Misfit("has something in brackets that is no IPv6 address")
            }
            rest = rest[(end + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                throw Misfit("has something behind the \"]\" that is no port")
            }
        } else {
            let colon = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            host = String(decoding: rest[..<colon], as: UTF8.self).lowercased()
            rest = rest[colon...]
        }
        guard !rest.isEmpty else { return }
        let digits = rest.dropFirst()
        guard (1...5).contains(digits.count), digits.allSatisfy(Characters.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0"),
            let port = Int(String(decoding: digits, as: UTF8.self)), ports.contains(port)
        else {
            if digits.contains(UInt8(ascii: ":")) {
                throw Misfit("has an IPv6 address without brackets; write \"[::1]:8080\", in quotes")
            }
            throw Misfit("has no good port; ports go from \(ports.lowerBound) to \(ports.upperBound)")
        }
        self.port = port
    }
}
