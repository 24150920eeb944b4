/// Writing JSON (RFC 8259) whose texts are bytes that nobody has looked at.
enum JSONText {
    /// `text` as a string, quotes and all (§7): what must be escaped is, UTF-8 stays as it is.
    static func append(_ text: [UInt8], to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for c in text {
            switch c {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), c]
            case 0..<0x20: json += Array("\\u00".utf8) + TextEncoding.hex.encode([c])
            default: json.append(c)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}

extension TemplateFiller {
    /// nil when it is left out: text made of inputs that were not given.
    mutating func json(_ template: JSONTemplate) throws(RenderingError) -> [UInt8]? {
        switch template {
        case .literal(let text): return Array(text.utf8)
        case .text(let template):
            if isAbsent(template) { return nil }
            var json: [UInt8] = []
            JSONText.append(try bytes(of: template), to: &json)
            return json
        case .array(let elements):
            var list: [[UInt8]] = []
            for element in elements {
                if let element = try json(element) { list.append(element) }
            }
            return Array("[".utf8) + list.joined(separator: [UInt8(ascii: ",")]) + Array("]".utf8)
        case .object(let members):
            var list: [[UInt8]] = []
            for member in members {
                guard let value = try json(member.value) else { continue }
                var text: [UInt8] = []
                JSONText.append(Array(member.name.utf8), to: &text)
                list.append(text + [UInt8(ascii: ":")] + value)
            }
            return Array("{".utf8) + list.joined(separator: [UInt8(ascii: ",")]) + Array("}".utf8)
        }
    }
}
