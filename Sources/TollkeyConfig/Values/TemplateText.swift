/// Text with names to fill in, taken apart: `${name}` is a name, `$$` a dollar sign. What a name means is not known
/// here.
package struct TemplateText: Equatable {
    package enum Part: Equatable {
        case text(String)
        /// `key`, or with what follows a dot: `access.session`, `request.header.X-Id`.
        case name(String)
    }

    /// What the text is for, and so what may stand in it.
    package enum Purpose {
        case header
        /// A field of a form, a query or JSON: anything but control characters, also nothing.
        case field
        /// Something that is signed or hashed: line ends too.
        case signed
    }

    package var parts: [Part]

    package static func parse(_ text: String, for purpose: Purpose) throws(Misfit) -> TemplateText {
        let bytes = Array(text.utf8)
        try check(bytes, for: purpose)
        var parts: [Part] = []
        var plain: [UInt8] = []
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "$") else {
                plain.append(bytes[at])
                at += 1
                continue
            }
            switch at + 1 < bytes.count ? bytes[at + 1] : 0 {
            case UInt8(ascii: "$"):
                plain.append(UInt8(ascii: "$"))
                at += 2
            case UInt8(ascii: "{"):
                guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
                    throw Misfit("has a \"${\" without its \"}\"")
                }
                if !plain.isEmpty { parts.append(.text(String(decoding: plain, as: UTF8.self))) }
                plain = []
                parts.append(.name(try name(bytes[(at + 2)..<end])))
                at = end + 1
            default:
                throw Misfit("has a \"$\" alone; write \"$$\" for a dollar sign, \"${name}\" for a secret")
            }
        }
        if !plain.isEmpty { parts.append(.text(String(decoding: plain, as: UTF8.self))) }
        return TemplateText(parts: parts)
    }

    private static func check(_ bytes: [UInt8], for purpose: Purpose) throws(Misfit) {
        guard bytes.count <= Bounds.templateBytes else {
            throw Misfit("is longer than \(Bounds.templateBytes) bytes")
        }
        switch purpose {
        case .header:
            guard !bytes.isEmpty else { throw Misfit("is empty; give the header a value, or take it out") }
            guard bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw Misfit("must be printable ASCII, without line ends")
            }
            guard bytes.first != 0x20, bytes.last != 0x20 else {
                throw Misfit("begins or ends with a space, which HTTP drops; take it out")
            }
        case .field:
            guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw Misfit("has a control character or a line end in it; take it out")
            }
        case .signed:
            guard bytes.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || [9, 10, 13].contains($0) }) else {
                throw Misfit("has a control character in it; take it out")
            }
        }
    }

    private static func name(_ bytes: ArraySlice<UInt8>) throws(Misfit) -> String {
        let name = String(decoding: bytes, as: UTF8.self)
        let first = name.prefix { $0 != "." }
        if first.contains(":") {
            throw Misfit("takes no reference; put it under \"secrets\" and write \"${its_name}\" here")
        }
        guard Quantity.isName(String(first)), !name.hasSuffix(".") else {
            throw Misfit("has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\"")
        }
        return name
    }
}
