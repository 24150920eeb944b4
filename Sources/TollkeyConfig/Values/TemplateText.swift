package import TollkeyCore

/// A header's value made of text and secrets: `${name}` is a secret, `$$` a dollar sign.
package enum TemplateText {
    package static func parse(_ text: String) throws(Misfit) -> Template {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw Misfit("is empty; give the header a value, or take it out") }
        guard bytes.count <= Bounds.templateBytes else {
            throw Misfit("is longer than \(Bounds.templateBytes) bytes")
        }
        guard bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw Misfit("must be printable ASCII, without line ends")
        }
        guard bytes.first != 0x20, bytes.last != 0x20 else {
            throw Misfit("begins or ends with a space, which HTTP drops; take it out")
        }
        var parts: Template = []
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
                parts.append(.secret(try name(bytes[(at + 2)..<end])))
                at = end + 1
            default:
                throw Misfit("has a \"$\" alone; write \"$$\" for a dollar sign, \"${name}\" for a secret")
            }
        }
        if !plain.isEmpty { parts.append(.text(String(decoding: plain, as: UTF8.self))) }
        return parts
    }

    private static func name(_ bytes: ArraySlice<UInt8>) throws(Misfit) -> String {
        let name = String(decoding: bytes, as: UTF8.self)
        if name.contains(":") {
            throw Misfit("takes no reference; put it under \"secrets\" and write \"${its_name}\" here")
        }
        guard Quantity.isName(name) else {
            throw Misfit("has a \"${…}\" that is no name; use letters, digits, \"_\" and \"-\"")
        }
        return name
    }
}
